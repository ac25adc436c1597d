"""A list as a folder of symbolic links, numbered in its order: for players, samplers, sticks."""

from __future__ import annotations

import os
from pathlib import Path

from gdr_model.errors import UsageError
from gdr_tui.export.entries import TrackList
from gdr_tui.safe_text import literal

LONGEST = 255
"""Bytes of a file's name that common file systems take."""


def fill(folder: Path, tracks: TrackList, *, relative: bool) -> None:
    """Make a folder hold a link to every track and nothing else.

    Links that are there already are replaced; anything else is not gdr's to remove.

    Raises:
        UsageError: if the folder holds anything but links.
        OSError: if it cannot be written.
    """
    there = list(folder.iterdir()) if folder.is_dir() else []
    if any(not entry.is_symlink() for entry in there):
        raise UsageError(f"{literal(str(folder))} holds other files than links; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for entry in there:
        entry.unlink()
    digits = max(2, len(str(len(tracks.entries))))
    for number, track in enumerate(tracks.entries, 1):
        name = _cut(f"{number:0{digits}} {track.path.name}", track.path.suffix)
        to = os.path.relpath(track.path, os.path.realpath(folder)) if relative else track.path
        os.symlink(to, folder / name)


def _cut(name: str, suffix: str) -> str:
    """A name of at most `LONGEST` bytes that still ends in its suffix."""
    whole = os.fsencode(name)
    if len(whole) <= LONGEST:
        return name
    end = os.fsencode(suffix)
    return os.fsdecode(whole[: LONGEST - len(end)] + end)
