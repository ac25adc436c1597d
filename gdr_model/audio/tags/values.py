"""The tags of a file as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_model.types import Section


@dataclass(frozen=True)
class Tags:
    """The tags of a file; those it lacks are empty."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    year: int | None = None
    albumartist: str = ""
    bpm: float | None = None
    originalyear: int | None = None
    key: str = ""
    comment: str = ""
    codec: str = ""
    sections: tuple[Section, ...] = ()
    """Chapters of the file, or the tracks of its cue sheet."""
