"""ID3 tags, read frame by frame and never further than a text can reach.

A frame can claim any length, be compressed a thousandfold, or hold a hundred thousand empty
values, so frames are walked over by their headers, and only the beginnings of the few that are
wanted are read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from gdr_model.audio.cue import in_order
from gdr_model.audio.source import Source
from gdr_model.audio.tags.found import (
    MOST_BYTES,
    MOST_CUE_BYTES,
    MOST_VALUES,
    Found,
    field_of,
    genres,
)
from gdr_model.types import Section

_MOST_FRAMES = 1000
_MOST_UNSYNCHRONISED = 1 << 25
"""Bytes of a tag whose every byte has to be looked at: a cover and more."""
_MOST_CHAPTER = 1 << 16
_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_NO_COMMENTS = ("itun", "songs-db", "id3v1 comment")
"""Programs keep numbers in comments with these descriptions."""


class _Bytes(Protocol):
    def at(self, position: int, size: int) -> bytes: ...


class _InMemory:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def at(self, position: int, size: int) -> bytes:
        return self._data[position : position + size]


class _Head(NamedTuple):
    version: int
    flags: int
    end: int
    """Where the tag ends in the file."""


class _Frame(NamedTuple):
    name: str
    version: int
    flags: int
    at: int
    size: int

    @property
    def is_packed(self) -> bool:
        """Compressed or encrypted."""
        return bool(self.flags & (0xC0 if self.version == 3 else 0x0C))


def read(source: Source, at: int = 0) -> Found:
    """The tag that begins at a position of the file, if there is one."""
    found = Found()
    head = _head(source, at)
    if head is None:
        return found
    comments: list[tuple[str, str]] = []
    sections: list[Section] = []
    own: dict[str, list[str]] = {}
    data, first, end = _body(source, at, head)
    for frame in _frames(data, first, end, head.version):
        if frame.name in ("CHAP",):
            sections += _chapter(data, frame)
        elif frame.name in ("COMM", "COM"):
            raw = _content(data, frame, head)
            description, _, text = _text(raw[:1] + raw[4:]).partition("\0")
            comments.append((description, text))
        elif frame.name in ("TXXX", "TXX"):
            description, _, text = _text(_content(data, frame, head)).partition("\0")
            name = field_of(description) or ""
            if name == "cuesheet" and name not in own:
                whole = _content(data, frame, head, MOST_CUE_BYTES)
                text = _text(whole, MOST_CUE_BYTES).partition("\0")[2]
            own.setdefault(name, []).append(text)
        elif field_of(frame.name):
            text = _text(_content(data, frame, head))
            found.add(
                field_of(frame.name),
                *(
                    genres(text.split("\0", MOST_VALUES)[:MOST_VALUES])
                    if frame.name[:3] == "TCO"
                    else [text]
                ),
            )
    for name, texts in own.items():
        if name not in found.texts:
            found.add(name or None, *texts)
    plain = [text for description, text in comments if not description]
    others = [text for description, text in comments if description and _is_comment(description)]
    found.add("comment", *(plain or others[:1]))
    found.sections = in_order(sections)
    return found


def read_v1(source: Source) -> Found:
    """The 128 bytes at the end of old files."""
    found = Found()
    source.begin_at(max(0, source.size - 128))
    data = source.read(128)
    source.begin_at(0)
    if len(data) == 128 and data[:3] == b"TAG":
        fields = (("title", 3, 33), ("artist", 33, 63), ("album", 63, 93), ("date", 93, 97))
        for name, begin, end in (*fields, ("comment", 97, 125)):
            found.add(name, data[begin:end].split(b"\0")[0].decode("latin-1"))
        found.add("genre", *genres([str(data[127])]))
    return found


def end_of(source: Source) -> int:
    """Where the tags at the beginning of a file end; 0 if there are none."""
    at = 0
    while head := _head(source, at):
        at = head.end
    return at


def is_harmless(source: Source) -> bool:
    """Whether a program can read the tags at the beginning of a file as they are.

    FFmpeg inflates what is compressed, whatever it swells to, and compares every name of a frame
    with all before it.
    """
    at = count = 0
    while head := _head(source, at):
        if head.flags or head.version == 2:
            return head.end - at < _MOST_CHAPTER
        for frame in _frames(source, at + 10, head.end, head.version):
            count += 1
            if frame.is_packed or count >= _MOST_FRAMES:
                return False
        at = head.end
    return True


def _head(source: Source, at: int) -> _Head | None:
    data = source.at(at, 10)
    if len(data) < 10 or data[:3] != b"ID3" or not 2 <= data[3] <= 4 or max(data[6:]) > 127:
        return None
    footer = 10 if data[3] == 4 and data[5] & 0x10 else 0
    return _Head(data[3], data[5], at + 10 + _syncsafe(data[6:]) + footer)


def _body(source: Source, at: int, head: _Head) -> tuple[_Bytes, int, int]:
    """The bytes of a tag's frames, where they begin in them, and where they end."""
    data: _Bytes = source
    begin, end = at + 10, head.end
    if head.flags & 0x80 and head.version < 4:
        plain = data.at(begin, min(end - begin, _MOST_UNSYNCHRONISED)).replace(b"\xff\0", b"\xff")
        data, begin, end = _InMemory(plain), 0, len(plain)
    if head.flags & 0x40 and head.version > 2:
        size = data.at(begin, 4)
        if len(size) == 4:
            begin += 4 + struct.unpack(">I", size)[0] if head.version == 3 else _syncsafe(size)
    return data, begin, end


def _frames(data: _Bytes, at: int, end: int, version: int) -> Iterator[_Frame]:
    """The frames of a tag, up to its padding or to the first bytes that are not a frame."""
    header = 6 if version == 2 else 10
    for _ in range(_MOST_FRAMES):
        raw = data.at(at, header)
        if len(raw) < header or at + header > end or not _is_name(raw[: 3 if version == 2 else 4]):
            return
        name = raw[: 3 if version == 2 else 4].decode("ascii")
        if version == 2:
            size, flags = int.from_bytes(raw[3:6], "big"), 0
        else:
            size, flags = struct.unpack(">I", raw[4:8])[0], raw[9]
            if version == 4:
                size = _size_v24(data, at, end, raw[4:8])
        yield _Frame(name, version, flags, at + header, min(size, end - at - header))
        at += header + size


def _size_v24(data: _Bytes, at: int, end: int, raw: bytes) -> int:
    """Sizes have seven bits a byte, but some programs wrote eight."""
    plain = int.from_bytes(raw, "big")
    if max(raw) > 127:
        return plain
    for size in (_syncsafe(raw), plain):
        after = at + 10 + size
        following = data.at(after, 4) if after < end else b""
        if after == end or following == bytes(4)[: len(following)] or _is_name(following):
            return size
    return _syncsafe(raw)


def _content(data: _Bytes, frame: _Frame, head: _Head, most: int = MOST_BYTES) -> bytes:
    """The beginning of what a frame holds, unpacked."""
    raw = data.at(frame.at, min(frame.size, most))
    packed = 0
    if frame.version == 4:
        raw = raw[1 if frame.flags & 0x40 else 0 :]
        raw = raw[4 if frame.flags & 0x01 else 0 :]
        if frame.flags & 0x02 or head.flags & 0x80:
            raw = raw.replace(b"\xff\0", b"\xff")
        packed = frame.flags & 0x0C
    elif frame.version == 3:
        packed = frame.flags & 0xC0
        raw = raw[4 if frame.flags & 0x80 else 0 :]
        raw = raw[1 if frame.flags & 0x20 else 0 :]
    if not packed:
        return raw
    if packed & (0x40 if frame.version == 3 else 0x04):
        return b""
    try:
        return zlib.decompressobj().decompress(raw, most)
    except zlib.error:
        return b""


def _chapter(data: _Bytes, frame: _Frame) -> Iterator[Section]:
    raw = data.at(frame.at, min(frame.size, _MOST_CHAPTER))
    name = raw.find(b"\0")
    if name < 0 or len(raw) < name + 17:
        return
    start_ms = struct.unpack_from(">I", raw, name + 1)[0]
    inner = _InMemory(raw)
    title = ""
    for part in _frames(inner, name + 17, len(raw), frame.version):
        if part.name == "TIT2":
            title = _text(_content(inner, part, _Head(frame.version, 0, 0))).partition("\0")[0]
    yield Section(start_ms / 1000, title or raw[:name][:100].decode("latin-1"))


def _text(raw: bytes, most: int = MOST_BYTES) -> str:
    """Text after the byte that names its encoding; several values are separated by NULs."""
    if not raw or raw[0] >= len(_ENCODINGS):
        return ""
    wide = raw[0] in (1, 2)
    body = raw[1:most]
    text = body[: len(body) // 2 * 2 if wide else len(body)].decode(_ENCODINGS[raw[0]], "replace")
    return text.replace("\ufeff", "").rstrip("\0")


def _is_comment(description: str) -> bool:
    return not description.lower().startswith(_NO_COMMENTS)


def _is_name(raw: bytes) -> bool:
    return len(raw) >= 3 and all(65 <= c <= 90 or 48 <= c <= 57 for c in raw)


def _syncsafe(raw: bytes) -> int:
    size = 0
    for byte in raw:
        size = size << 7 | byte & 0x7F
    return size
