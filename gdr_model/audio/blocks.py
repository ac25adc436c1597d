"""Decode a file in blocks of about a second, with whichever library reads it.

soundfile reads WAV, FLAC, Ogg and AIFF, recognised by
their first bytes rather than their suffix; PyAV reads everything else, and what soundfile
refuses. MP3 goes to PyAV although soundfile reads it: libmpg123 writes its warnings straight to
file descriptor 2, across the terminal's display, and PyAV decodes three times as fast.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import soundfile

from gdr_model.audio import av_reader, soundfile_reader
from gdr_model.audio.pieces import FAILURES, Piece
from gdr_model.errors import DecodeError
from gdr_model.types import Array

_BLOCK = 1 << 16
_SOUNDFILE_MAGIC = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM")


def blocks(path: Path, start_s: float = 0.0) -> Iterator[Piece]:
    """Decode a file from `start_s` on, in blocks of about a second.

    The libraries return pieces of some milliseconds, so that a truncated file loses no more than
    its last piece; processing each piece on its own would take longer than decoding.
    """
    waiting: list[Array] = []
    waiting_frames = rate_hz = 0
    announced_s = 0.0
    pieces = _pieces(path, start_s)
    try:
        for samples, rate_hz, announced_s in pieces:
            waiting.append(samples)
            waiting_frames += len(samples)
            if waiting_frames >= _BLOCK:
                yield Piece(np.concatenate(waiting), rate_hz, announced_s)
                waiting, waiting_frames = [], 0
    except FAILURES:
        if waiting_frames:
            yield Piece(np.concatenate(waiting), rate_hz, announced_s)
        raise
    finally:
        pieces.close()
    if waiting_frames:
        yield Piece(np.concatenate(waiting), rate_hz, announced_s)


def _pieces(path: Path, start_s: float) -> Generator[Piece, None, None]:
    """Decode a file with whichever library reads it."""
    with path.open("rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise DecodeError("it is not a regular file")
        magic = file.read(4)
    if not magic:
        raise DecodeError("the file is empty")
    if magic in _SOUNDFILE_MAGIC:
        try:
            # Bytes, because soundfile cannot encode names that are not valid UTF-8.
            source = soundfile.SoundFile(
                str(path) if sys.platform == "win32" else os.fsencode(path)
            )
        except soundfile.SoundFileError:
            pass
        else:
            yield from soundfile_reader.pieces(source, start_s)
            return
    yield from av_reader.pieces(path, start_s)
