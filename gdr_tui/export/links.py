"""A list as a folder of symbolic links, numbered in order, for file managers and samplers."""

from __future__ import annotations

import os
from pathlib import Path

from gdr_model.characters import cut_bytes
from gdr_model.errors import UsageError
from gdr_tui.export.entries import TrackList
from gdr_tui.safe_text import literal

LONGEST = 255
"""Bytes in a file name, on common file systems."""
_SUFFIX = 16
"""What is longer is part of the name."""


def fill(folder: Path, tracks: TrackList, *, relative: bool) -> None:
    """Fill a folder with a link to every track and nothing else.

    Existing links are replaced; other files are never removed. A folder that is itself a link is
    not followed: what it names can be anything.

    Raises:
        UsageError: if the folder is a link, or holds anything but links.
        OSError: if it cannot be written.
    """
    if folder.is_symlink():
        raise UsageError(f"{literal(str(folder))} is a link to another folder; name a new folder")
    existing = list(folder.iterdir()) if folder.is_dir() else []
    if any(not entry.is_symlink() for entry in existing):
        raise UsageError(f"{literal(str(folder))} holds files other than links; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for entry in existing:
        entry.unlink()
    digits = max(2, len(str(len(tracks.entries))))
    for number, track in enumerate(tracks.entries, 1):
        name = _cut(f"{number:0{digits}} {track.path.name}", track.path.suffix)
        path = os.path.relpath(track.path, os.path.realpath(folder)) if relative else track.path
        os.symlink(path, folder / name)


def _cut(name: str, suffix: str) -> str:
    """The name in at most `LONGEST` bytes, with its suffix."""
    if len(os.fsencode(name)) <= LONGEST:
        return name
    end = len(os.fsencode(suffix))
    if end > _SUFFIX:
        return cut_bytes(name, LONGEST)
    return cut_bytes(name.removesuffix(suffix), LONGEST - end) + suffix
