"""Find the music files in a folder, what is left out of it, and what of it cannot be read.

Taken are regular files with the suffixes of music; `left_out` says what is not, and why. Symbolic
links are followed, but each folder is visited once: real folders come before links to them, so
that a track keeps its plain path.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from gdr_model.audio import cue
from gdr_model.errors import Cancelled, LibraryError
from gdr_model.store.folder.left_out import MARKER, Excludes, of_file, of_folder, suffix
from gdr_model.store.records import LeftOut, Reason, Stamp, around, key, shown
from gdr_model.types import Cancel, never


@dataclass
class Scan:
    """The music in a folder; files are named by their keys (see `records.key`)."""

    files: dict[bytes, Stamp] = field(default_factory=dict)
    sheets: dict[bytes, Stamp] = field(default_factory=dict)
    """Cue sheets."""
    left_out: list[LeftOut] = field(default_factory=list)
    unreadable: set[bytes] = field(default_factory=set)
    """Folders and files that exist and cannot be read."""
    empty: set[bytes] = field(default_factory=set)
    """Folders that hold nothing at all, and broken links: disks that are not mounted, perhaps."""

    def may_hide(self, name: bytes) -> bool:
        """Whether a file may still exist although it was not found."""
        return any(each in self.unreadable for each in around(name))

    def may_be_away(self, name: bytes) -> bool:
        """Whether a file may be on a disk that is not mounted."""
        return any(each in self.empty for each in around(name))

    def unwanted(self) -> set[bytes]:
        """The files and folders that are left out because the user wants them to be."""
        reasons = (Reason.EXCLUDED, Reason.MARKER)
        return {each.name for each in self.left_out if each.reason in reasons}


def scan(
    root: Path, cancelled: Cancel = never, *, excludes: Excludes | None = None, part: str = ""
) -> Scan:
    """Scan a folder and everything below it.

    Args:
        root: the folder that names are relative to.
        cancelled: polled between folders.
        excludes: what to leave out.
        part: the only folder inside the root to scan, relative to it.

    Raises:
        LibraryError: if the folder itself is missing, cannot be read or goes away meanwhile.
        Cancelled: when asked.
    """
    return _Scanner(root, part, excludes or Excludes()).run(cancelled)


class _Scanner:
    """One scan under way."""

    def __init__(self, root: Path, part: str, excludes: Excludes) -> None:
        self._root = root
        self._part = part
        self._excludes = excludes
        self._found = Scan()
        self._folders, self._links = [part], list[str]()  # relative to the root

    def run(self, cancelled: Cancel) -> Scan:
        top = self._root / self._part
        try:
            identity = _identity(top)
            if self._is_left_out():
                return self._found
            self._visit_all(identity, cancelled)
            if _identity(top) != identity:
                raise OSError(errno.ENODEV, "it went away while it was read")
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LibraryError(
                f"the folder {shown(top)} cannot be read ({why}); is its disk mounted?"
            ) from error
        found = self._found
        found.files = dict(sorted(found.files.items()))
        return found

    def _is_left_out(self) -> bool:
        """Whether the part to scan is in something that the whole root's scan leaves out."""
        for name in reversed(list(around(key(self._part)))):
            relative = os.fsdecode(name)
            reason = of_folder(Path(relative).name)
            if self._excludes.match(relative, Path(relative).name):
                reason = Reason.EXCLUDED
            elif (self._root / Path(relative).parent / MARKER).exists():
                name, reason = key(str(Path(relative).parent)), Reason.MARKER
            if reason:
                self._found.left_out.append(LeftOut(name, reason))
                return True
        return False

    def _visit_all(self, top: tuple[int, int] | str, cancelled: Cancel) -> None:
        seen: set[tuple[int, int] | str] = set()
        while self._folders or self._links:
            if cancelled():
                raise Cancelled("stopped")
            relative = self._folders.pop() if self._folders else self._links.pop(0)
            folder = self._root / relative
            try:
                identity = _identity(folder) if seen else top
                if identity in seen:
                    continue
                seen.add(identity)
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError:
                if relative == self._part:
                    raise
                self._found.unreadable.add(key(relative))
                continue
            if not entries and relative:
                self._found.empty.add(key(relative))
            elif any(entry.name == MARKER for entry in entries):
                self._leave_out(relative, Reason.MARKER)
            else:
                for entry in entries:
                    self._add(entry, os.path.join(relative, entry.name))

    def _add(self, entry: os.DirEntry[str], relative: str) -> None:
        try:
            is_folder = entry.is_dir()
            if self._excludes.match(relative, entry.name):
                self._leave_out(relative, Reason.EXCLUDED)
            elif is_folder and (reason := of_folder(entry.name)):
                self._leave_out(relative, reason)
            elif is_folder:
                (self._links if entry.is_symlink() else self._folders).append(relative)
            else:
                self._add_file(entry, relative)
        except OSError as error:
            if error.errno == errno.ELOOP:
                return  # a circular link
            broken = error.errno == errno.ENOENT and entry.is_symlink()
            (self._found.empty if broken else self._found.unreadable).add(key(relative))

    def _add_file(self, entry: os.DirEntry[str], relative: str) -> None:
        if suffix(entry.name) == cue.SUFFIX and not entry.name.startswith("._"):
            self._found.sheets[key(relative)] = _stamp(entry)
            return
        reason = of_file(entry.name)
        if reason is None or entry.is_symlink():  # which may be a folder on another disk
            facts = entry.stat()
            if not stat.S_ISREG(facts.st_mode):
                reason = Reason.IRREGULAR
            elif reason is None:
                self._found.files[key(relative)] = _stamp(entry)
        if reason:
            kind = suffix(entry.name) if reason == Reason.KIND else ""
            self._leave_out(relative, reason, kind)

    def _leave_out(self, relative: str, reason: Reason, kind: str = "") -> None:
        self._found.left_out.append(LeftOut(key(relative), reason, kind))


def _stamp(entry: os.DirEntry[str]) -> Stamp:
    facts = entry.stat()
    return Stamp(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def _identity(folder: Path) -> tuple[int, int] | str:
    """Equal for one folder by any path; some network file systems have no inode numbers."""
    facts = folder.stat()
    return (facts.st_dev, facts.st_ino) if facts.st_ino else str(folder.resolve())
