"""The library screen: folders, files that could not be read, and the progress of indexing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gdr_tui.app import keys
from gdr_tui.app.library.folders import Folder
from gdr_tui.app.library.lists import FailureList, FolderList
from gdr_tui.app.library.state import LibraryState
from gdr_tui.app.ui.hints import Hints, clickable
from gdr_tui.app.ui.listing import Listing
from gdr_tui.app.values import from_home
from gdr_tui.library_words import summarised
from gdr_tui.safe_text import literal

IN_FOLDERS: Hints = (
    ("p pause", "pause"),
    ("i rescan", "look"),
    ("r retry failed", "retry"),
    ("o open folder", "app.open_folder"),
    ("→ files", "turn('failures')"),
    ("Esc leaves", "leave"),
)
IN_FAILURES: Hints = (
    ("r retry this file", "retry"),
    ("Y show in folder", "reveal"),
    ("p pause", "pause"),
    ("← folders", "turn('folders')"),
    ("Esc leaves", "leave"),
)


class LibraryScreen(ModalScreen[None]):
    """Folders at the left, files that could not be read at the right, progress below."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.MOVES, *keys.LIBRARY]

    def __init__(
        self,
        state: LibraryState,
        read: Callable[[], object],
        pause: Callable[[], object],
        look: Callable[[], object],
        retry: Callable[[tuple[Path, ...]], object],
        reveal: Callable[[Path], object],
    ) -> None:
        super().__init__()
        self._state = state
        self._read = read
        self._pause = pause
        self._look = look
        self._retry = retry
        self._reveal = reveal

    def compose(self) -> ComposeResult:
        """Two lists, a file in full, progress and a line of hints."""
        with Horizontal(id="library-both"):
            yield FolderList(id="folders")
            yield FailureList(id="failures")
        yield Static(id="library-file", markup=False)
        yield Static(id="library-progress", markup=False)
        yield Static(id="library-hint")

    def on_mount(self) -> None:
        """Read the folders; the cursor starts on the first."""
        self.show_progress()
        self.folders.focus()
        self._read()

    @property
    def folders(self) -> FolderList:
        """The list at the left."""
        return self.query_one(FolderList)

    @property
    def failures(self) -> FailureList:
        """The list at the right."""
        return self.query_one(FailureList)

    def show(self, folders: tuple[Folder, ...]) -> None:
        """Show the folders."""
        self.folders.show(folders)

    def show_progress(self) -> None:
        """Show the progress of indexing."""
        self.query_one("#library-progress", Static).update(self._state.progress())

    @on(Listing.Moved, "#folders")
    def _show_failures(self) -> None:
        self.failures.show(self.folders.folder)
        self._show_file()

    @on(Listing.Moved, "#failures")
    def _show_file(self) -> None:
        """Show in full what the lists have no room for."""
        folder, entry = self.folders.folder, self.failures.entry
        if self.in_failures and entry:
            said = f"{literal(from_home(entry[0]))}: {entry[1]}"
        elif folder:
            said = ": ".join(
                part
                for part in (
                    literal(from_home(folder.path)),
                    folder.problem,
                    "; ".join(summarised(folder.left_out)),
                )
                if part
            )
        else:
            said = ""
        self.query_one("#library-file", Static).update(said)

    def on_descendant_focus(self) -> None:
        """Show what the keys do in the focused list."""
        hints = IN_FAILURES if self.in_failures else IN_FOLDERS
        self.query_one("#library-hint", Static).update(Content(" ") + clickable(hints))
        self._show_file()

    @property
    def in_failures(self) -> bool:
        """Whether keys go to the list at the right."""
        return self.failures.has_focus

    def action_move(self, by: int) -> None:
        """Move in the focused list."""
        (self.failures if self.in_failures else self.folders).move(by)

    def action_turn(self, to: str) -> None:
        """Go to the other list."""
        self.query_one(f"#{to}").focus()

    def action_pause(self) -> None:
        """Pause or resume indexing."""
        self._pause()
        self.show_progress()

    def action_look(self) -> None:
        """Index what is new or changed."""
        self._look()

    def action_retry(self) -> None:
        """Retry the file, or every failed file of the folder."""
        folder, failure = self.folders.folder, self.failures.failure
        if self.in_failures:
            failed = tuple(each for each in [failure] if each)
        else:
            failed = folder.failures if folder else ()
        self._retry(tuple(each.path for each in failed))

    def action_reveal(self) -> None:
        """Show the file in its folder."""
        folder, entry = self.folders.folder, self.failures.entry
        if self.in_failures and entry:
            self._reveal(entry[0])
        elif folder:
            self._reveal(folder.path)

    def action_leave(self) -> None:
        """Back to the search."""
        self.dismiss(None)
