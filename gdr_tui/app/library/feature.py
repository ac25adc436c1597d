"""The library on the screen: what it holds, pausing indexing, retrying files, opening folders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from textual.message import Message

from gdr_model.errors import LibraryError
from gdr_tui.app.feature import Host
from gdr_tui.app.library.folder_dialog import FolderDialog
from gdr_tui.app.library.jobs import LibraryJobs
from gdr_tui.app.library.messages import FoldersRead
from gdr_tui.app.library.screen import LibraryScreen
from gdr_tui.app.library.state import LibraryState
from gdr_tui.app.messages import (
    CatalogueRead,
    GraphsProgressed,
    IndexFinished,
    IndexProgressed,
    ModelReady,
    WentWrong,
)
from gdr_tui.app.trail.trail import Node
from gdr_tui.safe_text import counted


class LibraryFeature:
    """Starts indexing, and opens the screen that shows it."""

    def __init__(
        self,
        host: Host,
        jobs: LibraryJobs,
        roots: Sequence[Path],
        add: Callable[[Path], object],
        reveal: Callable[[Path], object],
    ) -> None:
        """Read nothing yet.

        Args:
            host: the main screen.
            jobs: list and index on threads.
            roots: the music folders, which `add` adds to.
            add: adds a folder; `GdrError` if that is impossible.
            reveal: shows a file in its folder.
        """
        self._host = host
        self._jobs = jobs
        self._roots = roots
        self._add = add
        self._reveal = reveal
        self._screen: LibraryScreen | None = None
        self.state = LibraryState()

    def show(self, node: Node, *, keep: bool) -> None:
        """Do nothing: the library does not depend on the query."""

    def take(self, message: Message) -> None:
        """Follow the reading, the loading and the indexing."""
        match message:
            case CatalogueRead():
                self.state.catalogue = message.catalogue
                if self._open:
                    self._jobs.folders()
            case FoldersRead():
                if screen := self._open:
                    screen.show(message.folders)
                return
            case IndexProgressed():
                self.state.indexing = message.indexing
            case IndexFinished():
                for sentence, problem in self.state.finish(message.indexed):
                    self._host.say(sentence, problem=problem)
            case GraphsProgressed():
                self.state.graphs = message.done, message.total
            case ModelReady():
                self.state.model_ready = True
                self._start()
            case WentWrong():
                self.state.fail(message.about)
            case _:
                return
        self._show_progress()

    def read(self) -> None:
        """Report what the library holds."""
        self._jobs.read_catalogue()

    def action_library(self) -> None:
        """Show the folders, what could not be read, and how far indexing is."""

        def closed(_: None) -> None:
            self._screen = None

        self._screen = LibraryScreen(
            self.state,
            self._jobs.folders,
            self._toggle_pause,
            self._look,
            self._retry,
            self._reveal,
        )
        self._host.open(self._screen, closed)

    def action_open_folder(self) -> None:
        """Add another folder."""

        def check(typed: str) -> None:
            if not typed:
                raise LibraryError("type the path of a folder")
            self._add(Path(typed))

        def added(typed: str | None) -> None:
            if typed is not None:
                self.read()
                if self._host.has_model:
                    self._start()

        self._host.open(FolderDialog("", check), added)

    def _start(self) -> None:
        """Index what is new or changed, once the model, which it would slow down, has loaded."""
        if self._roots:
            self._jobs.index()
            self._jobs.follow()

    def _toggle_pause(self) -> None:
        if self.state.indexing is None and not self.state.paused:
            self._host.say("nothing is being indexed")
            return
        self._pause(not self.state.paused)

    def _pause(self, on: bool) -> None:
        self.state.paused = on
        self._jobs.pause(on)
        self._show_progress()

    def _look(self) -> None:
        if not self._host.has_model:
            self._host.say("the model is still loading; indexing starts once it is loaded")
            return
        self._pause(False)
        self._jobs.index()

    def _retry(self, paths: tuple[Path, ...]) -> None:
        if not paths:
            self._host.say("there is nothing to retry here")
            return
        self._pause(False)
        self._jobs.retry(paths, index=self._host.has_model)
        self._host.say(f"retrying {counted(len(paths), 'file')}")

    def _show_progress(self) -> None:
        self._host.refresh_status()
        if screen := self._open:
            screen.show_progress()

    @property
    def _open(self) -> LibraryScreen | None:
        """The library screen, once it is mounted, even below a dialog."""
        return self._screen if self._screen and self._screen.is_mounted else None
