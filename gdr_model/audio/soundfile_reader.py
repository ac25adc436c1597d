"""Read pieces of WAV, FLAC, Ogg and AIFF with libsndfile."""

from __future__ import annotations

from collections.abc import Generator

import soundfile

from gdr_model.audio import ogg
from gdr_model.audio.pieces import Piece
from gdr_model.audio.source import Source

MAGIC = (b"RIFF", b"RF64", b"fLaC", ogg.MAGIC, b"FORM")
"""The first bytes of files that it reads."""

_PIECE = 1 << 12


def pieces(source: Source, start_s: float) -> Generator[Piece, None, float | None]:
    """Decode what a source holds from `start_s` on; of a chained Ogg file, the first link.

    Returns its length in seconds by its header; None if it is none of these formats, or nothing
    follows the header as far as libsndfile can see.

    Raises:
        soundfile.SoundFileError: if it is damaged.
    """
    source.seek(0)
    try:
        file = soundfile.SoundFile(source)
    except soundfile.SoundFileError:
        return None
    with file:
        rate_hz, announced_s = file.samplerate, file.frames / max(file.samplerate, 1)
        if start_s:
            file.seek(min(round(start_s * rate_hz), file.frames))
        sound = False
        while len(samples := file.read(_PIECE, dtype="float32", always_2d=True)):
            sound = True
            yield Piece(samples, rate_hz, announced_s)
    return announced_s if sound or file.frames else None
