"""Find the links of a chained Ogg file.

A recorder of radio streams writes one logical stream after another into a file. libsndfile reads
the first and stops, so each is read as if it were a file. A link begins with pages that carry the
flag "beginning of stream" (several if streams are multiplexed), and the serial numbers of two
links differ, unless the links were written by an encoder that always uses the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from gdr_model.audio.source import Source

MAGIC = b"OggS"

_HEADER = struct.Struct("<4sBBqIIIB")
_BEGINS = 2
_NEAR = 1 << 17
"""Bytes: more than libsndfile reads ahead, and than the largest page."""
_SPOTS = 8
_MAX_LINKS = 10_000


class _Page(NamedTuple):
    at: int
    begins: bool
    serial: int
    number: int
    size: int


def next_link(source: Source, link: int, at: int) -> int | None:
    """Where the link after the one at `link` begins, which was read to near `at`.

    Streams with equal serial numbers can be read further than that, without more sound coming.
    """
    found = _link_after(source, link, max(link, at - _NEAR))
    if found is None and at > _NEAR and _looks_chained(source):
        return _link_after(source, link, link)
    return found


def _link_after(source: Source, link: int, begin: int) -> int | None:
    """The first page of a link, from `begin` on."""
    first_pages = begin == link
    for page in _pages(source, begin):
        if not page.begins:
            first_pages = False
        elif not first_pages:
            return page.at
    return None


def links(source: Source) -> list[int]:
    """Where the links of a file begin.

    An ordinary file is recognised by a few of its pages, so that it need not be read whole.
    """
    found = [0]
    if _looks_chained(source):
        while len(found) < _MAX_LINKS:
            link = _link_after(source, found[-1], found[-1])
            if link is None:
                break
            found.append(link)
    return found


def _looks_chained(source: Source) -> bool:
    """Whether pages from all over the file do not belong to one run of the first streams."""
    last: dict[int, int] = {}
    for page in _pages(source, 0):
        if not page.begins:
            break
        last[page.serial] = page.number
    for spot in range(1, _SPOTS + 1):
        begin = min(source.size * spot // _SPOTS, source.size - _NEAR)
        there = next(_pages(source, begin), None) if begin > 0 else None
        if there is None:
            continue
        if there.serial not in last or there.number < last[there.serial]:
            return True
        last[there.serial] = there.number
    return source.size <= _NEAR


def _pages(source: Source, at: int) -> Iterator[_Page]:
    """The pages from a position of the whole file on; bytes between pages are skipped."""
    source.begin_at(0)
    data = b""
    while True:
        source.seek(at)
        data = source.read(_HEADER.size + 255)
        if len(data) < _HEADER.size:
            return
        magic, _, flags, _, serial, number, _, segments = _HEADER.unpack_from(data)
        if magic != MAGIC:
            source.seek(at)
            data = source.read(1 << 16)
            found = data.find(MAGIC, 1)
            at += found if found > 0 else max(len(data) - len(MAGIC) + 1, 1)
            continue
        size = _HEADER.size + segments + sum(data[_HEADER.size : _HEADER.size + segments])
        yield _Page(at, bool(flags & _BEGINS), serial, number, size)
        at += size
