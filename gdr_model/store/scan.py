"""Which files of a folder count as music, and which of its folders could not be looked at.

Left out are hidden files and folders, folders holding a `.notmusic` file with all below them,
other suffixes than music's, and what is not a regular file. Symbolic links are followed, each
folder once: real folders come before links to them, so that a track keeps its plain path.
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
    """What lies in a folder; files go by their keys (see `records.key`)."""

    files: dict[bytes, Stamp] = field(default_factory=dict)
    unreadable: list[bytes] = field(default_factory=list)

    def hides(self, name: bytes) -> bool:
        """Whether a file may still be there although it was not seen."""
        return any(name == at or name.startswith(at + b"/") for at in self.unreadable)


def scan(root: Path, cancelled: Cancel = never) -> Scan:
    """Look through a folder.

    Raises:
        LibraryError: if it is missing or cannot be read itself.
        Cancelled: when asked.
    """
    found = Scan()
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
            found.unreadable.append(key(relative))
            continue
        if not any(entry.name == MARKER for entry in entries):
            for entry in entries:
                _sort_in(entry, os.path.join(relative, entry.name), found, folders, links)
    return Scan(dict(sorted(found.files.items())), found.unreadable)


def _sort_in(
    entry: os.DirEntry[str], relative: str, found: Scan, folders: list[str], links: list[str]
) -> None:
    if entry.name.startswith("."):
        return
    try:
        if entry.is_dir():
            (links if entry.is_symlink() else folders).append(relative)
        elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
            facts = entry.stat()
            if stat.S_ISREG(facts.st_mode):
                found.files[key(relative)] = Stamp(facts.st_size, facts.st_mtime_ns)
    except OSError as error:
        # A link that leads nowhere or to itself is no file; anything else may be one.
        if error.errno not in (errno.ENOENT, errno.ELOOP):
            found.unreadable.append(key(relative))


def _identity(folder: Path) -> tuple[int, int] | str:
    """Equal for the same folder by whatever path; some network file systems number none."""
    facts = folder.stat()
    return (facts.st_dev, facts.st_ino) if facts.st_ino else str(folder.resolve())
