"""Read pieces of WAV, FLAC, Ogg and AIFF with libsndfile."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import soundfile

from gdr_model.audio import ogg
from gdr_model.audio.pieces import Piece
from gdr_model.audio.source import Source

MAGIC = (b"RIFF", b"RF64", b"fLaC", ogg.MAGIC, b"FORM")
"""The first bytes of files that it reads."""

_PIECE = 1 << 12


def pieces(source: Source, start_s: float) -> Generator[Piece, None, bool]:
    """Decode a file from `start_s` on, link after link where it is chained.

    Returns whether it holds sound as far as libsndfile can tell; False if it is none of these
    formats, or its header says that nothing follows.

    Raises:
        soundfile.SoundFileError: if it is damaged.
    """
    source.begin_at(0)
    chained = source.read(len(ogg.MAGIC)) == ogg.MAGIC
    known = ogg.links(source) if chained and start_s else [0]
    link: int | None = 0
    sound = False
    while link is not None:
        source.begin_at(link)
        try:
            file = soundfile.SoundFile(source)
        except soundfile.SoundFileError:
            if link:
                raise
            return False
        with file:
            sound = sound or file.frames > 0
            length_s = file.frames / max(file.samplerate, 1)
            for piece in _read(file, start_s):
                sound = True
                yield piece
        start_s = max(0.0, start_s - length_s)
        later = [begin for begin in known if begin > link]
        if later:
            link = later[0]
        elif chained and len(known) == 1:
            link = ogg.next_link(source, link, link + source.tell())
        else:
            link = None
    return sound


def _read(file: Any, start_s: float) -> Generator[Piece, None, None]:
    rate_hz, announced_s = file.samplerate, file.frames / max(file.samplerate, 1)
    if start_s:
        file.seek(min(round(start_s * rate_hz), file.frames))
    while len(samples := file.read(_PIECE, dtype="float32", always_2d=True)):
        yield Piece(samples, rate_hz, announced_s)
