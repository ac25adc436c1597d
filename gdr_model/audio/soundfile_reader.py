"""Read pieces of WAV, FLAC, Ogg and AIFF with libsndfile."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from gdr_model.audio.pieces import Piece

_PIECE = 1 << 12


def pieces(source: Any, start_s: float) -> Generator[Piece, None, None]:
    """Decode an open `SoundFile` from `start_s` on, and close it."""
    with source:
        rate_hz, announced_s = source.samplerate, source.frames / max(source.samplerate, 1)
        if start_s:
            source.seek(min(round(start_s * rate_hz), source.frames))
        while len(samples := source.read(_PIECE, dtype="float32", always_2d=True)):
            yield Piece(samples, rate_hz, announced_s)
