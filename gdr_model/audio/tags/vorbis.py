"""Vorbis comments, of FLAC and of everything in Ogg."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from gdr_model.audio import cue
from gdr_model.audio.source import Source
from gdr_model.audio.tags.found import MOST_BYTES, MOST_CUE_BYTES, Found, field_of, most_bytes
from gdr_model.characters import cut
from gdr_model.types import Section

_MOST_COMMENTS = 10_000
_MOST_BLOCKS = 1000
_MOST_PACKET = 1 << 25
"""Bytes: a cover and more."""
_STREAMINFO, _COMMENT, _CUESHEET = 0, 4, 5
_CHAPTER = re.compile(r"chapter(\d{1,4})(name)?$")
_TIME = re.compile(r"(\d{1,3}):(\d{1,2}):(\d{1,2}(?:\.\d{1,9})?)$")
_CODECS = (  # by their first packet: the name, and where the comments begin in the second one
    (b"\x01vorbis", "vorbis", 7),
    (b"OpusHead", "opus", 8),
    (b"Speex   ", "speex", 0),
    (b"\x7fFLAC", "flac", 4),
)


def read_flac(source: Source, at: int = 0) -> Found:
    """The metadata of a FLAC file, whose blocks begin at a position."""
    found = Found()
    rate_hz = 0
    at += 4
    for _ in range(_MOST_BLOCKS):
        head = source.at(at, 4)
        if len(head) < 4:
            break
        kind, size = head[0] & 0x7F, int.from_bytes(head[1:], "big")
        if kind == _STREAMINFO:
            rate_hz = _rate_hz(source.at(at + 4, 18))
            found.codec = "flac" if rate_hz else ""
        elif kind == _COMMENT:
            _comments(source.at(at + 4, size), found)
        elif kind == _CUESHEET and not found.sections:
            found.sections = _cuesheet(source.at(at + 4, min(size, MOST_CUE_BYTES)), rate_hz)
        at += 4 + size
        if head[0] & 0x80:
            break
    return found


def read_ogg(source: Source) -> Found:
    """The metadata of the first stream in an Ogg file."""
    found = Found()
    packets = _packets(source)
    first, second = next(packets, b""), next(packets, b"")
    known = (each for each in _CODECS if first.startswith(each[0]))
    _, found.codec, begin = next(known, (b"", "", 0))
    _comments(second[begin:], found)
    return found


def _comments(data: bytes, found: Found) -> None:
    """Add the comments of a block: a vendor's name, a count, and texts `NAME=value`."""
    at = 4 + int.from_bytes(data[:4], "little")
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    starts: dict[int, float] = {}
    titles: dict[int, str] = {}
    for _ in range(min(count, _MOST_COMMENTS)):
        size = int.from_bytes(data[at : at + 4], "little")
        at += 4
        if at + size > len(data):
            break
        name, _, value = data[at : at + min(size, MOST_BYTES)].partition(b"=")
        label = name[:64].decode("ascii", "replace").lower()
        if field := field_of(label):
            value = data[at + len(name) + 1 : at + min(size, most_bytes(field))]
            found.add(field, value.decode("utf-8", "replace"))
        elif chapter := _CHAPTER.match(label):
            text = value.decode("utf-8", "replace")
            if chapter[2]:
                titles[int(chapter[1])] = cut(text, cue.MAX_CHARS)
            elif time := _TIME.match(text.strip()):
                seconds = int(time[1]) * 3600 + int(time[2]) * 60 + float(time[3])
                starts[int(chapter[1])] = seconds
        at += size
    chapters = [Section(start, titles.get(n, f"Chapter {n}")) for n, start in starts.items()]
    found.sections = found.sections or cue.in_order(chapters)


def _rate_hz(streaminfo: bytes) -> int:
    return int.from_bytes(streaminfo[10:18], "big") >> 44 if len(streaminfo) >= 18 else 0


def _cuesheet(block: bytes, rate_hz: int) -> tuple[Section, ...]:
    """The tracks of a CUESHEET block, which have numbers but no titles."""
    sections: list[Section] = []
    at = 396
    for _ in range(block[395] if len(block) > 395 and rate_hz else 0):
        if len(block) < at + 36:
            break
        begin, number = struct.unpack_from(">QB", block, at)
        indices = block[at + 35]
        offsets = [struct.unpack_from(">QB", block, at + 36 + 12 * n) for n in range(indices)
                   if len(block) >= at + 48 + 12 * n]  # fmt: skip
        first = next((offset for offset, index in offsets if index == 1), None)
        if first is not None:
            sections.append(Section((begin + first) / rate_hz, f"Track {number}"))
        at += 36 + 12 * indices
    return cue.in_order(sections)


def _packets(source: Source) -> Iterator[bytes]:
    """The packets of the stream that begins an Ogg file."""
    serial, packet, at = b"", bytearray(), 0
    while len(packet) < _MOST_PACKET:
        head = source.at(at, 27 + 255)
        if len(head) < 27 or head[:4] != b"OggS":
            return
        lacing = head[27 : 27 + head[26]]
        size = sum(lacing)
        serial = serial or head[14:18]
        if head[14:18] == serial:
            page = source.at(at + 27 + len(lacing), size)
            begin = 0
            for length in lacing:
                packet += page[begin : begin + length]
                begin += length
                if length < 255:
                    yield bytes(packet)
                    packet.clear()
        at += 27 + len(lacing) + size
