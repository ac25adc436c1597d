"""What the key of the library does: show what it holds, pause indexing, try files again."""

from __future__ import annotations

from pathlib import Path

from textual import on

from gdr_tui.app import messages
from gdr_tui.app.crates.screen import counted
from gdr_tui.app.library.messages import FoldersRead
from gdr_tui.app.library.screen import LibraryScreen
from gdr_tui.app.playback.keys import ListeningScreen


class LibraryKeys(ListeningScreen):
    """The search screen with the key of the library."""

    def action_library(self) -> None:
        """See the folders, what could not be read, and how far indexing is."""
        self.app.push_screen(
            LibraryScreen(
                self.status.state,
                self._jobs.library.folders,
                self._pause_indexing,
                self._look,
                self._retry,
                self.reveal,
            )
        )

    def _pause_indexing(self) -> None:
        state = self.status.state
        if state.indexing is None and not state.paused:
            self.say("nothing is being indexed")
            return
        self._go_on(not state.paused)

    def _go_on(self, paused: bool) -> None:
        self.status.state.paused = paused
        self._jobs.library.pause(paused)
        self.status.refresh()
        self._show_progress()

    def _look(self) -> None:
        if not self.asking.has_model:
            self.say("the model is still loading; indexing begins when it is there")
            return
        self._go_on(False)
        self._jobs.library.index()

    def _retry(self, paths: tuple[Path, ...]) -> None:
        if not paths:
            self.say("there is nothing here to try again")
            return
        self._go_on(False)
        self._jobs.library.retry(paths, index=self.asking.has_model)
        self.say(f"trying {counted(len(paths), 'file')} again")

    @on(FoldersRead)
    def show_holdings(self, read: FoldersRead) -> None:
        """Draw what the libraries hold, if their screen is open."""
        if screen := self._library():
            screen.show(read.folders)

    @on(messages.CatalogueRead)
    def renew_holdings(self) -> None:
        """What was indexed, or a folder that was opened, belongs on the screen as well."""
        if self._library():
            self._jobs.library.folders()

    @on(messages.IndexProgressed)
    @on(messages.IndexFinished)
    @on(messages.ModelReady)
    @on(messages.WentWrong)
    def _show_progress(self) -> None:
        if screen := self._library():
            screen.show_progress()

    def _library(self) -> LibraryScreen | None:
        """Its screen, if it is open, be it below a dialog."""
        found = [s for s in self.app.screen_stack if isinstance(s, LibraryScreen)]
        return found[0] if found and found[0].is_mounted else None
