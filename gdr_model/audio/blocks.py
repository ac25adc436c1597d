"""Decode a file in blocks of about a second, with whichever library reads it.

soundfile reads WAV, FLAC, Ogg and AIFF, recognised by their first bytes rather than their suffix;
PyAV reads everything else, what soundfile refuses, and files whose header announces no sound
although some follows. MP3 goes to PyAV although soundfile reads it: libmpg123 writes its warnings
straight to file descriptor 2, across the terminal's display, and PyAV decodes three times as fast.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np

from gdr_model.audio import av_reader, ogg, soundfile_reader
from gdr_model.audio.pieces import FAILURES, Piece
from gdr_model.audio.source import Source
from gdr_model.errors import DecodeError
from gdr_model.types import Array

_BLOCK = 1 << 16
_MOST_SAMPLES = 16 * _BLOCK
"""Of all channels of a block; there can be hundreds."""


def blocks(source: Source, start_s: float = 0.0) -> Iterator[Piece]:
    """Decode a file from `start_s` on, in blocks of about a second.

    The libraries return pieces of some milliseconds, so that a truncated file loses no more than
    its last piece; processing each piece on its own would take longer than decoding. All samples
    of a block have the same rate and channels.
    """
    waiting: list[Array] = []
    frames = 0
    last = Piece(np.zeros((0, 1), np.float32), 0, 0.0)
    pieces = _pieces(source, start_s)
    try:
        for piece in pieces:
            changed = piece.rate_hz != last.rate_hz or piece[0].shape[1] != last[0].shape[1]
            full = frames >= _BLOCK or frames * last[0].shape[1] >= _MOST_SAMPLES
            if waiting and (full or changed):
                yield last._replace(samples=np.concatenate(waiting))
                waiting, frames = [], 0
            waiting.append(piece.samples)
            frames += len(piece.samples)
            last = piece
    except FAILURES:
        if frames:
            yield last._replace(samples=np.concatenate(waiting))
        raise
    finally:
        pieces.close()
    if frames:
        yield last._replace(samples=np.concatenate(waiting))


def _pieces(source: Source, start_s: float) -> Generator[Piece, None, None]:
    """Decode a file, link after link if it is a chained Ogg file."""
    source.begin_at(0)
    magic = source.read(4)
    source.check()
    if not magic:
        raise DecodeError("the file is empty")
    if magic != ogg.MAGIC:
        yield from _part(source, magic, start_s)
        return
    # The length of a link has to be known to begin after it, but then the links do too.
    links = ogg.links(source) if start_s else [0]
    number = 0
    while number < len(links):
        begin, end = links[number], links[number + 1] if number + 1 < len(links) else None
        source.begin_at(begin, end)
        length_s = yield from soundfile_reader.pieces(source, start_s)
        source.check()
        if end is None:
            end = ogg.next_link(source, begin, begin + source.tell())
            if end is not None:
                links.append(end)
        if length_s is None:
            source.begin_at(begin, end)
            length_s = yield from av_reader.pieces(source, start_s)
        start_s = max(0.0, start_s - length_s)
        number += 1


def _part(source: Source, magic: bytes, start_s: float) -> Generator[Piece, None, None]:
    """Decode a file with whichever library reads it."""
    if magic in soundfile_reader.MAGIC:
        if (yield from soundfile_reader.pieces(source, start_s)) is not None:
            return
        source.check()
        source.begin_at(0)
    if magic == b"RF64":  # its length is in a chunk that a recorder fills in at the end
        source.mask(0, b"RIFF")
    if magic == b"DSD ":  # FFmpeg needs nothing of the tag that this points to
        source.mask(20, bytes(8))
    yield from av_reader.pieces(source, start_s)
