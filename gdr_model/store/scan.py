"""Find the music files in a folder, and what of it cannot be read.

Skipped are hidden files and folders, folders with a `.notmusic` file and everything below them,
files with other suffixes than those of music, and anything that is not a regular file. Symbolic
links are followed, but each folder is visited once: real folders come before links to them, so
that a track keeps its plain path.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from gdr_model.audio import SUFFIXES
from gdr_model.errors import Cancelled, LibraryError
from gdr_model.store.records import Stamp, key, shown
from gdr_model.types import Cancel, never

MARKER = ".notmusic"


@dataclass
class Scan:
    """The music in a folder; files are named by their keys (see `records.key`)."""

    files: dict[bytes, Stamp] = field(default_factory=dict)
    unreadable: list[bytes] = field(default_factory=list)

    def may_hide(self, name: bytes) -> bool:
        """Whether a file may still exist although it was not found."""
        return any(
            name == unreadable or name.startswith(unreadable + b"/")
            for unreadable in self.unreadable
        )


def scan(root: Path, cancelled: Cancel = never) -> Scan:
    """Scan a folder and everything below it.

    Raises:
        LibraryError: if the folder itself is missing or cannot be read.
        Cancelled: when asked.
    """
    scanned = Scan()
    seen: set[tuple[int, int] | str] = set()
    folders, links = [""], list[str]()  # relative to the root
    while folders or links:
        if cancelled():
            raise Cancelled("stopped")
        relative = folders.pop() if folders else links.pop(0)
        folder = root / relative
        try:
            identity = _identity(folder)
            if identity in seen:
                continue
            seen.add(identity)
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if not relative:
                why = (error.strerror or str(error)).lower()
                raise LibraryError(
                    f"the folder {shown(root)} cannot be read ({why}); is its disk mounted?"
                ) from error
            scanned.unreadable.append(key(relative))
            continue
        if not any(entry.name == MARKER for entry in entries):
            for entry in entries:
                _add_entry(entry, os.path.join(relative, entry.name), scanned, folders, links)
    return Scan(dict(sorted(scanned.files.items())), scanned.unreadable)


def _add_entry(
    entry: os.DirEntry[str], relative: str, scanned: Scan, folders: list[str], links: list[str]
) -> None:
    if entry.name.startswith("."):
        return
    try:
        if entry.is_dir():
            (links if entry.is_symlink() else folders).append(relative)
        elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
            facts = entry.stat()
            if stat.S_ISREG(facts.st_mode):
                scanned.files[key(relative)] = Stamp(facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        # A broken or circular link is not a file; anything else may be one.
        if error.errno not in (errno.ENOENT, errno.ELOOP):
            scanned.unreadable.append(key(relative))


def _identity(folder: Path) -> tuple[int, int] | str:
    """Equal for one folder by any path; some network file systems have no inode numbers."""
    facts = folder.stat()
    return (facts.st_dev, facts.st_ino) if facts.st_ino else str(folder.resolve())
