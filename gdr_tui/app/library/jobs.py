"""Folders are listed and indexed on threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from gdr_model.errors import GdrError
from gdr_model.types import Cancel, never
from gdr_tui.app.library.folders import Folder
from gdr_tui.app.library.messages import FoldersRead
from gdr_tui.app.library.pause import Pause
from gdr_tui.app.messages import (
    CatalogueRead,
    GraphsProgressed,
    IndexFinished,
    IndexProgressed,
    ModelReplaced,
    TagsRead,
    TracksArrived,
    WentWrong,
)
from gdr_tui.app.tasks import Tasks, slept
from gdr_tui.app.values import Catalogue, Indexed, Indexing, Loaded, sentence

LOOK_EVERY_S = 3.0
"""Tracks indexed since, by this program or another, join the results this often."""


class Holds(Protocol):
    """The part of a session that lists what the libraries hold."""

    def catalogue(self) -> Catalogue:
        """Count the tracks of every library and list the first ones."""

    def folders(self) -> tuple[Folder, ...]:
        """Every folder with its tracks and the files in it that could not be read."""

    def forget_failures(self, paths: Sequence[Path]) -> None:
        """Let the next indexing retry files that could not be read."""

    def tags(self) -> Mapping[str, Sequence[tuple[str, int]]]:
        """The values of artist, album, genre and year, with how many tracks have each."""

    def words(self) -> Sequence[str]:
        """Words for music, to complete prompts with."""


class Indexes(Protocol):
    """The part of a session that indexes."""

    pause: Pause

    def index(self, on_progress: Callable[[Indexing], None], cancelled: Cancel = never) -> Indexed:
        """Index what is new or changed, folder after folder."""

    def unlocked(self) -> bool:
        """Whether folders that another program was indexing can be indexed by now."""


class Refreshes(Protocol):
    """The part of a session that lets queries find what is new."""

    def generations(self) -> list[int]:
        """A number for every library, which changes whenever any program changes the library."""

    def catch_up(self) -> Loaded | None:
        """Let the newest model answer if an earlier one did; None if nothing changes."""

    def refresh(self) -> bool:
        """Let queries find what was indexed since; True if there is anything new."""

    def prepare(self, on_progress: Callable[[int, int], object], cancelled: Cancel = never) -> None:
        """Load, build or upload what makes searches faster; queries are answered meanwhile."""


class LibraryJobs:
    """Starts the listing and indexing of folders."""

    def __init__(
        self, tasks: Tasks, holdings: Holds, indexer: Indexes, retrieval: Refreshes
    ) -> None:
        self._tasks = tasks
        self._holdings = holdings
        self._indexer = indexer
        self._retrieval = retrieval

    def read_catalogue(self) -> None:
        """Report what the library holds."""
        self._tasks.guard("catalogue", self._catalogue, "library")

    def follow(self) -> None:
        """Let queries find what is indexed from now on, whichever program does it."""
        self._tasks.guard("follow", self._follow, "library")

    def index(self) -> None:
        """Index every folder."""
        self._tasks.guard("index", self._index, "index")

    def pause(self, on: bool) -> None:
        """Pause indexing, or resume it."""
        self._indexer.pause.turn(on)

    def retry(self, paths: Sequence[Path], *, index: bool) -> None:
        """Forget that files could not be read, so that indexing tries them again."""
        self._tasks.guard("retry", partial(self._retry, paths, index), "library")

    def folders(self) -> None:
        """Report what every folder holds."""
        self._tasks.guard("folders", self._folders, "library")

    def _catalogue(self, _cancelled: Cancel) -> None:
        self._tasks.post(CatalogueRead(self._holdings.catalogue()))
        self._tasks.post(TagsRead(self._holdings.tags(), self._holdings.words()))

    def _index(self, cancelled: Cancel) -> None:
        def progressed(indexing: Indexing) -> None:
            self._tasks.post(IndexProgressed(indexing))

        indexed = self._indexer.index(progressed, cancelled)
        if cancelled():
            return
        if loaded := self._retrieval.catch_up():
            self._tasks.post(ModelReplaced(loaded))
        if indexed.encoded or indexed.gone:
            self._refresh(cancelled)
        self._tasks.post(IndexFinished(indexed))
        self._catalogue(cancelled)
        if not indexed.problems:
            self._retrieval.prepare(
                lambda done, total: self._tasks.post(GraphsProgressed(done, total)), cancelled
            )

    def _retry(self, paths: Sequence[Path], index: bool, cancelled: Cancel) -> None:
        self._holdings.forget_failures(paths)
        if index:
            self.index()
        else:  # indexing starts once the model is loaded
            self._catalogue(cancelled)

    def _folders(self, cancelled: Cancel) -> None:
        folders = self._holdings.folders()
        if not cancelled():
            self._tasks.post(FoldersRead(folders))

    def _follow(self, cancelled: Cancel) -> None:
        before: list[int] | None = None
        said = ""
        while True:
            try:
                now = self._retrieval.generations()
                if before is not None and now != before:
                    self._refresh(cancelled)
                before = now
                if self._indexer.unlocked():
                    self.index()
                said = ""
            except GdrError as error:  # a database that is locked or away now can be back soon
                if sentence(error) != said:
                    said = sentence(error)
                    self._tasks.post(WentWrong(said, "library"))
            if slept(LOOK_EVERY_S, cancelled):
                return

    def _refresh(self, cancelled: Cancel) -> None:
        self._catalogue(cancelled)
        if self._retrieval.refresh():
            self._tasks.post(TracksArrived())
