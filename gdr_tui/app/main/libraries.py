"""The libraries of the music folders, opened when first needed; safe from any thread."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from gdr_model.errors import LibraryError
from gdr_model.patience import is_folder, real
from gdr_tui.library_words import has_moved
from gdr_tui.safe_text import literal
from gdr_tui.user_paths import typed_path

if TYPE_CHECKING:
    from gdr_model.store.library import Library


class Libraries:
    """One library a folder."""

    def __init__(self, roots: list[Path]) -> None:
        # Not `resolve`: paths are shown and exported as the user spells their folder.
        self.roots = [Path(os.path.abspath(root)) for root in roots]
        self._libraries: dict[Path, Library] = {}
        self._moved: list[str] = []
        self._opening = threading.Lock()

    def add(self, root: Path) -> Path:
        """Add another music folder.

        Raises:
            LibraryError: if there is no such folder.
            UsageError: if no folder can have this name.
        """
        with typed_path(str(root)):
            folder = Path(os.path.abspath(root.expanduser()))
            if not is_folder(folder):
                raise LibraryError(f"there is no folder {literal(str(root))}; type the path of one")
            known = map(real, self.roots)
            if real(folder) not in known:
                self.roots.append(folder)
        return folder

    def known(self) -> list[Library]:
        """The libraries of all folders that were ever indexed."""
        return [library for root in list(self.roots) if (library := self.existing(root))]

    def existing(self, root: Path) -> Library | None:
        """The library of `root`, or None if it was never indexed."""
        from gdr_model.store.stores import find

        library = self._libraries.get(root)
        return library or (self.opened(root) if find(root) else None)

    def opened(self, root: Path) -> Library:
        """The library of `root`, created if there is none.

        Raises:
            LibraryError: if it cannot be opened, or its tracks are those of several libraries
                whose folders are gone.
        """
        from gdr_model.notebook.moves import recognised
        from gdr_model.store.library import Library

        with self._opening:
            if root not in self._libraries:
                if is_folder(root) and (moved := recognised(root)):
                    self._moved.append(has_moved(moved))
                self._libraries[root] = Library.open(root, create=True)
            return self._libraries[root]

    def news(self) -> list[str]:
        """What has been said of no library yet: sentences about those that have moved."""
        moved, self._moved = self._moved, []
        return moved

    def generations(self) -> list[int]:
        """A number for every library, which changes whenever any program changes the library."""
        return [library.generation for library in self.known()]

    def close(self) -> None:
        """Close every library."""
        with self._opening:
            for library in self._libraries.values():
                library.close()
            self._libraries.clear()
