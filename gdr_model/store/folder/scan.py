"""Find the music files in a folder, what is left out of it, and what of it cannot be read.

Taken are regular files with the suffixes of music; `left_out` says what is not, and why. Symbolic
links are followed, but each folder is visited once: real folders come before links to them, so
that a track keeps its plain path. What is on a disk that hangs counts as unreadable.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from gdr_model import patience
from gdr_model.audio import cue
from gdr_model.errors import Cancelled, LibraryError
from gdr_model.store.folder.left_out import MARKER, Excludes, of_file, of_folder, suffix
from gdr_model.store.records import LeftOut, Reason, Stamp, around, key, shown
from gdr_model.types import Cancel, never

T = TypeVar("T")


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
        cancelled: polled between folders, and while one is waited for.
        excludes: what to leave out.
        part: the only folder inside the root to scan, relative to it.

    Raises:
        LibraryError: if the folder itself is missing, cannot be read or goes away meanwhile.
        Cancelled: when asked.
    """
    return _Scanner(root, part, excludes or Excludes(), cancelled).run()


class _Facts(NamedTuple):
    """What the system says of a file or folder."""

    is_folder: bool = False
    stat: os.stat_result | None = None
    """None if it was not asked for."""
    error: OSError | None = None

    @classmethod
    def of(cls, entry: os.DirEntry[str]) -> _Facts:
        """Ask what a scan needs to know of a file or folder."""
        try:
            if entry.is_dir():
                return cls(is_folder=True)
            # A link may lead to a folder on another disk.
            looked_at = of_file(entry.name) is None or entry.is_symlink() or _is_sheet(entry.name)
            return cls(stat=entry.stat() if looked_at else None)
        except OSError as error:
            return cls(error=error)


class _Scanner:
    """One scan under way."""

    def __init__(self, root: Path, part: str, excludes: Excludes, cancelled: Cancel) -> None:
        self._root = root
        self._part = part
        self._excludes = excludes
        self._cancelled = cancelled
        self._found = Scan()
        self._folders, self._links = [part], list[str]()  # relative to the root

    def run(self) -> Scan:
        top = self._root / self._part
        try:
            identity, _ = self._listed(top)
            if self._is_left_out():
                return self._found
            self._visit_all()
            if self._listed(top)[0] != identity:
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
            marker = self._root / Path(relative).parent / MARKER
            reason = of_folder(Path(relative).name)
            if self._excludes.match(relative, Path(relative).name):
                reason = Reason.EXCLUDED
            elif patience.answered(marker.exists, False):
                name, reason = key(str(Path(relative).parent)), Reason.MARKER
            if reason:
                self._found.left_out.append(LeftOut(name, reason))
                return True
        return False

    def _visit_all(self) -> None:
        seen: set[tuple[int, int] | str] = set()
        while self._folders or self._links:
            if self._cancelled():
                raise Cancelled("stopped")
            relative = self._folders.pop() if self._folders else self._links.pop(0)
            try:
                identity, entries = self._listed(self._root / relative)
            except OSError:
                if relative == self._part:
                    raise
                self._found.unreadable.add(key(relative))
                continue
            if identity in seen:
                continue
            seen.add(identity)
            if not entries and relative:
                self._found.empty.add(key(relative))
            elif any(entry.name == MARKER for entry in entries):
                self._leave_out(relative, Reason.MARKER)
            else:
                self._add_all(relative, entries)

    def _listed(self, folder: Path) -> tuple[tuple[int, int] | str, list[os.DirEntry[str]]]:
        """What identifies a folder, and what is in it.

        Raises:
            OSError: if it cannot be read, or its disk does not answer.
        """
        for answer in self._answers(lambda: [_listing(folder)]):
            return answer
        raise OSError(errno.ETIMEDOUT, f"it did not answer for {patience.READ_S:.0f} s")

    def _answers(self, ask: Callable[[], Iterable[T]]) -> list[T]:
        return patience.answers(ask, patience.READ_S, self._cancelled)

    def _add_all(self, relative: str, entries: list[os.DirEntry[str]]) -> None:
        """Add what is in a folder."""
        asked = []
        for entry in entries:
            path = os.path.join(relative, entry.name)
            if self._excludes.match(path, entry.name):
                self._leave_out(path, Reason.EXCLUDED)
            else:
                asked.append((path, entry))
        while asked:
            found = self._answers(partial(map, _Facts.of, [entry for _, entry in asked]))
            for (path, entry), facts in zip(asked, found, strict=False):
                self._add(entry, path, facts)
            for path, _ in asked[len(found) : len(found) + 1]:
                self._found.unreadable.add(key(path))
            asked = asked[len(found) + 1 :]

    def _add(self, entry: os.DirEntry[str], relative: str, facts: _Facts) -> None:
        if facts.error:
            if facts.error.errno == errno.ELOOP:
                return  # a circular link
            broken = facts.error.errno == errno.ENOENT and entry.is_symlink()
            (self._found.empty if broken else self._found.unreadable).add(key(relative))
        elif not facts.is_folder:
            self._add_file(entry.name, relative, facts.stat)
        elif reason := of_folder(entry.name):
            self._leave_out(relative, reason)
        else:
            (self._links if entry.is_symlink() else self._folders).append(relative)

    def _add_file(self, name: str, relative: str, facts: os.stat_result | None) -> None:
        is_regular = facts is None or stat.S_ISREG(facts.st_mode)
        if facts and is_regular and _is_sheet(name):
            self._found.sheets[key(relative)] = _stamp(facts)
            return
        reason = of_file(name) if is_regular else Reason.IRREGULAR
        if reason:
            kind = suffix(name) if reason == Reason.KIND else ""
            self._leave_out(relative, reason, kind)
        elif facts:
            self._found.files[key(relative)] = _stamp(facts)

    def _leave_out(self, relative: str, reason: Reason, kind: str = "") -> None:
        self._found.left_out.append(LeftOut(key(relative), reason, kind))


def _is_sheet(name: str) -> bool:
    return suffix(name) == cue.SUFFIX and not name.startswith("._")


def _stamp(facts: os.stat_result) -> Stamp:
    return Stamp(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def _listing(folder: Path) -> tuple[tuple[int, int] | str, list[os.DirEntry[str]]]:
    """What is equal for one folder by any path, and its entries by their names.

    Some network file systems have no inode numbers.
    """
    facts = folder.stat()
    identity = (facts.st_dev, facts.st_ino) if facts.st_ino else str(folder.resolve())
    with os.scandir(folder) as listing:
        return identity, sorted(listing, key=lambda entry: entry.name)
