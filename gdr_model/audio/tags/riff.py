"""Tags of WAV and AIFF files: an ID3 chunk, LIST INFO, the Broadcast Wave extension, and AIFF's."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from gdr_model.audio.source import Source
from gdr_model.audio.tags import id3
from gdr_model.audio.tags.found import MOST_BYTES, Found, field_of
from gdr_model.characters import decoded

_MOST_CHUNKS = 1000
_UNKNOWN = 0xFFFFFFFF
_WAVE_CODECS = {1: "pcm", 3: "pcm", 6: "alaw", 7: "mulaw", 0x55: "mp3", 0x50: "mp2", 0xFF: "aac"}
_AIFF_TEXTS = {b"NAME": "title", b"AUTH": "artist", b"ANNO": "comment"}
_AIFF_PCM = (b"", b"NONE", b"sowt", b"twos", b"fl32", b"FL32", b"fl64", b"in24")
_AIFF_LOSSY = {b"ulaw": "mulaw", b"alaw": "alaw"}


def read_wave(source: Source) -> Found:
    """The tags of a WAV file; an ID3 chunk comes before LIST INFO, and that before BWF's."""
    tagged, info, broadcast = Found(), Found(), Found()
    for name, at, size in _chunks(source, 12, "<"):
        if name == b"fmt ":
            form = source.at(at, 26)
            if len(form) >= 12:
                kind = int.from_bytes(form[:2], "little")
                kind = int.from_bytes(form[24:26], "little") if kind == 0xFFFE else kind
                info.codec = _WAVE_CODECS.get(kind, "adpcm")
        elif name == b"LIST" and source.at(at, 4) == b"INFO":
            for item, start, length in _chunks(source, at + 4, "<", at + size):
                raw = source.at(start, min(length, MOST_BYTES))
                info.add(field_of(item.decode("latin-1")), decoded(raw.rstrip(b"\0")))
        elif name == b"bext":
            raw = source.at(at, 330)
            for field, begin, end in (
                ("comment", 0, 256),
                ("artist", 256, 288),
                ("date", 320, 330),
            ):
                broadcast.add(field, decoded(raw[begin:end].split(b"\0")[0]))
        elif name in (b"id3 ", b"ID3 "):
            tagged = id3.read(source, at)
    tagged.fill(info)
    tagged.fill(broadcast)
    return tagged


def read_aiff(source: Source) -> Found:
    """The tags of an AIFF file; an ID3 chunk comes first."""
    tagged, texts = Found(), Found()
    for name, at, size in _chunks(source, 12, ">"):
        if name == b"COMM":
            form = source.at(at, 22)
            kind = form[18:22]
            texts.codec = _AIFF_LOSSY.get(
                kind.lower(), "pcm" if kind in _AIFF_PCM or size < 22 else "adpcm"
            )
        elif name in _AIFF_TEXTS:
            raw = source.at(at, min(size, MOST_BYTES))
            texts.add(_AIFF_TEXTS[name], decoded(raw.rstrip(b"\0")))
        elif name in (b"ID3 ", b"id3 "):
            tagged = id3.read(source, at)
    tagged.fill(texts)
    return tagged


def _chunks(
    source: Source, at: int, order: str, end: int | None = None
) -> Iterator[tuple[bytes, int, int]]:
    """Name, position and size of each chunk; data of unknown length is skipped as announced."""
    end = source.size if end is None else min(end, source.size)
    long_size = 0
    for _ in range(_MOST_CHUNKS):
        head = source.at(at, 8) if at + 8 <= end else b""
        if len(head) < 8:
            return
        name, size = head[:4], struct.unpack(order + "I", head[4:])[0]
        yield name, at + 8, size
        if name == b"ds64":
            long_size = int.from_bytes(source.at(at + 16, 8), "little")
        if name == b"data" and size == _UNKNOWN:
            size = long_size or end
        at += 8 + size + size % 2
