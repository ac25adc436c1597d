"""The two lists of the library screen: the folders, and the files that could not be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from gdr_model.store.records import Failure, LeftOut
from gdr_tui.app.library.folders import Folder
from gdr_tui.app.ui.listing import Listing
from gdr_tui.app.values import from_home
from gdr_tui.library_words import explained
from gdr_tui.safe_text import clock, fit, literal


class FolderList(Listing):
    """Every folder with its tracks, their total length and the number of failed files."""

    BORDER_TITLE = "folders"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"folders--root", "folders--failed"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._folders: tuple[Folder, ...] = ()
        self._failed_cells = 0
        self.empty = ("reading the library …",)

    @property
    def length(self) -> int:
        """How many folders there are."""
        return len(self._folders)

    @property
    def folder(self) -> Folder | None:
        """The folder under the cursor."""
        return self._folders[self.cursor] if self._folders else None

    def show(self, folders: tuple[Folder, ...]) -> None:
        """List folders; the cursor stays on its folder, or on its line if that is gone."""
        at = self.folder.path if self.folder else None
        self._folders = folders
        self._failed_cells = max((len(_failed(len(f.failures))) for f in folders), default=0)
        self.empty = ("no library yet", "o adds a music folder")
        places = {folder.path: row for row, folder in enumerate(folders)}
        self.filled(places.get(at, self.cursor) if at else 0)

    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """One folder."""
        folder = self._folders[row]
        root = not folder.depth
        name = literal(from_home(folder.path) if root else folder.path.name + "/")
        if folder.problem:
            tail = [(f" {folder.tracks:>6,} not there ", "folders--failed")]
        else:
            failed = _failed(len(folder.failures)).rjust(self._failed_cells)
            tail = [
                (f" {folder.tracks:>6,}", ""),
                (f" {clock(folder.duration_s):>9} ", "listing--dim"),
                (failed, "folders--failed"),
            ]
        room = width - sum(len(text) for text, _ in tail)
        indent = "  " * min(folder.depth, 6)
        return [(fit(f" {indent}{name}", room), "folders--root" if root else ""), *tail]


def _failed(count: int) -> str:
    return f"{count:,} failed " if count else ""


class FailureList(Listing):
    """Files that could not be read, each with the reason, and then what is left out."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"folders--failed"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._failures: tuple[Failure, ...] = ()
        self._left_out: tuple[LeftOut, ...] = ()
        self._root = Path()
        self.empty = ("nothing failed or was left out",)

    @property
    def length(self) -> int:
        """How many lines there are."""
        return len(self._failures) + len(self._left_out)

    @property
    def failure(self) -> Failure | None:
        """The file under the cursor, if it could not be read."""
        return self._failures[self.cursor] if self.cursor < len(self._failures) else None

    @property
    def entry(self) -> tuple[Path, str] | None:
        """The path under the cursor, and why it is here."""
        if not self.length:
            return None
        path, why = self._entry(self.cursor)
        return path, why if self.failure else f"left out: {why}"

    def show(self, folder: Folder | None) -> None:
        """List the files of a folder; the cursor stays on its line."""
        self._failures = folder.failures if folder else ()
        self._left_out = folder.left_out if folder else ()
        self._root = folder.root if folder else Path()
        left_out = f" · left out {len(self._left_out):,}" if self._left_out else ""
        self.border_title = f"failed {len(self._failures):,}{left_out}"
        self.filled(self.cursor)

    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """One file."""
        path, why = self._entry(row)
        name = fit(f" {literal(path.name)}", width * 2 // 5)
        style = "folders--failed" if row < len(self._failures) else "listing--dim"
        return [(name + " ", ""), (fit(why, width - len(name) - 1), style)]

    def _entry(self, row: int) -> tuple[Path, str]:
        if row < len(self._failures):
            return self._failures[row].path, literal(self._failures[row].reason)
        each = self._left_out[row - len(self._failures)]
        return self._root / os.fsdecode(each.name), explained(each)
