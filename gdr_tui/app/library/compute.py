"""The session's parts for the library: what it holds, and indexing; safe from any thread."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gdr_model.errors import Cancelled, DecodeError, Hint, LibraryError, ModelError
from gdr_model.patience import is_folder
from gdr_model.store.folder.presence import is_gone
from gdr_model.types import Cancel, Track, never
from gdr_tui.app.library.folders import Folder, folders
from gdr_tui.app.library.pause import Pause
from gdr_tui.app.retrievers import Retrievers
from gdr_tui.app.values import Catalogue, Indexed, Indexing, measured, sentence
from gdr_tui.safe_text import literal

if TYPE_CHECKING:
    from gdr_model.models.checkpoint import Model
    from gdr_model.store.ingest import IngestProgress
    from gdr_model.store.library import Library
    from gdr_model.workers.pool import Workers
    from gdr_model.workers.tasks import Engine

PAGE = 500
"""Tracks listed before the first query; nobody scrolls through a hundred thousand."""


class Opened(Protocol):
    """The music folders and their libraries."""

    roots: list[Path]

    def known(self) -> list[Library]:
        """The libraries of all folders that were ever indexed."""

    def existing(self, root: Path) -> Library | None:
        """The library of `root`, or None if it was never indexed."""

    def opened(self, root: Path) -> Library:
        """The library of `root`, created if there is none."""

    def news(self) -> list[str]:
        """Sentences about libraries that have moved."""


class Holdings:
    """Lists what the libraries hold; needs no model."""

    def __init__(self, libraries: Opened) -> None:
        self._libraries = libraries

    def catalogue(self) -> Catalogue:
        """Count the tracks of every library and list the first ones."""
        libraries = self._libraries.known()
        first: list[Track] = []
        for library in libraries:
            if len(first) < PAGE:
                first += library.first(PAGE - len(first))
        return Catalogue(
            count=sum(library.count() for library in libraries),
            first=tuple(first),
            failures=sum(len(library.failures()) for library in libraries),
            roots=tuple(self._libraries.roots),
        )

    def folders(self) -> tuple[Folder, ...]:
        """Every folder with its tracks and the files in it that could not be read."""
        listed: list[Folder] = []
        for root in list(self._libraries.roots):
            library = self._libraries.existing(root)
            if library is None:
                missing = "" if is_folder(root) else "not there now"
                listed.append(Folder(root, root, problem=missing))
                continue
            files = library.files
            listed += folders(
                library.root,
                files.stamps(),
                library.failures(),
                _problem(library),
                files.left_out(),
                {top for top in files.absent() if is_gone(library.path(top))},
            )
        return tuple(listed)

    def forget_failures(self, paths: Sequence[Path]) -> None:
        """Let the next indexing retry files that could not be read."""
        for library in self._libraries.known():
            failed = {library.path(name): name for name in library.files.failed_stamps()}
            if names := [failed[path] for path in paths if path in failed]:
                library.files.forget(names)

    def tags(self) -> dict[str, list[tuple[str, int]]]:
        """The values of artist, album, genre and year, with how many tracks have each."""
        values = {}
        for name in ("genre", "artist", "album", "year"):
            total: Counter[str] = Counter()
            for library in self._libraries.known():
                total.update(dict(library.values(name)))
            values[name] = total.most_common()
        return values

    def words(self) -> Sequence[str]:
        """Words for music, to complete prompts with."""
        from gdr_model.search import vocabulary

        return vocabulary.WORDS


def _kept(model: Model) -> list[str]:
    """Keep the built-in model with what it indexes; a sentence if that is impossible."""
    from gdr_model.models import kept

    try:
        kept.keep(model.config)
    except ModelError as error:
        return [sentence(error)]
    return []


def _problem(library: Library) -> str:
    """Why a library's folder cannot be read now; "" if it can."""
    if not is_folder(library.folder):
        return "not there now; its index is kept"
    if is_gone(library.folder) and library.count():
        return "empty now; its index is kept"
    return ""


class Indexer:
    """Indexes the folders, one run at a time."""

    def __init__(
        self,
        libraries: Opened,
        retrievers: Retrievers,
        exclude: Sequence[str] = (),
        workers: Callable[[Model], Workers] | None = None,
    ) -> None:
        """Index nothing yet.

        Args:
            libraries: the folders.
            retrievers: give the model, and say when a query has the processor to itself.
            exclude: globs of files that no library takes.
            workers: processes that read files; None for this one.
        """
        self._workers = workers
        self._libraries = libraries
        self._retrievers = retrievers
        self._exclude = exclude
        self._ingesting = threading.Lock()
        self.pause = Pause()
        """Where indexing rests while the user wants it to."""
        self._locked: list[Path] = []
        """Folders that another program was indexing when this one tried to."""

    def index(self, on_progress: Callable[[Indexing], None], cancelled: Cancel = never) -> Indexed:
        """Index what is new or changed, folder after folder.

        Raises:
            Cancelled: when asked; everything done so far is kept.
        """
        while not self._ingesting.acquire(timeout=0.1):  # until a cancelled one has ended
            if cancelled():
                raise Cancelled("stopped")
        try:
            return self._index_all(on_progress, cancelled)
        finally:
            self._ingesting.release()

    def unlocked(self) -> bool:
        """Whether folders that another program was indexing can be indexed by now."""
        return bool(self._locked) and not any(map(self._is_being_indexed, self._locked))

    def _index_all(self, on_progress: Callable[[Indexing], None], cancelled: Cancel) -> Indexed:
        from gdr_model.models import kept

        began = time.monotonic()
        total = Indexed()
        self._locked = []
        model = self._retrievers.newest()
        news = _kept(model)
        with self._workers(model) if self._workers else nullcontext() as engine:
            for root in list(self._libraries.roots):
                try:
                    total = self._index_one(root, total, engine, on_progress, cancelled)
                except (LibraryError, DecodeError, OSError) as error:
                    total = replace(total, problems=(*total.problems, sentence(error)))
                    if self._is_being_indexed(root):
                        self._locked.append(root)
        kept.remove_unneeded()
        took_s = time.monotonic() - began
        return replace(total, took_s=took_s, news=(*news, *self._libraries.news()))

    def _index_one(
        self,
        root: Path,
        total: Indexed,
        engine: Engine | None,
        on_progress: Callable[[Indexing], None],
        cancelled: Cancel,
    ) -> Indexed:
        """Index one folder and add it to the total."""
        from gdr_model.store import ingest

        model = self._retrievers.newest()
        if not is_folder(root):
            gone = f"{literal(str(root))} is not there now"
            if self._libraries.existing(root):
                raise LibraryError(gone, Hint.MOUNT_OR_FORGET, root=root)
            raise LibraryError(gone)
        library = self._libraries.opened(root)
        rested_s = self.pause.rested_s

        def report(progress: IngestProgress) -> None:
            worked_s = progress.elapsed_s - (self.pause.rested_s - rested_s)
            on_progress(measured(progress.done, progress.total, worked_s, progress.path))

        def polled() -> bool:
            # Called between the pieces of a track: the user waits for the query, and nobody
            # waits for the index.
            self._retrievers.wait_for_queries(cancelled)
            self.pause.pass_by(cancelled)
            return cancelled()

        summary = ingest.ingest(
            library,
            model.encoder,
            on_progress=report,
            cancelled=polled,
            exclude=self._exclude,
            engine=engine,
        )
        return replace(
            total,
            encoded=total.encoded + summary.encoded,
            gone=total.gone + summary.gone,
            failed=total.failed + len(summary.failed) + summary.skipped_failed,
            unavailable=total.unavailable + len(summary.unavailable),
            away=total.away + sum(summary.away.values()),
        )

    def _is_being_indexed(self, root: Path) -> bool:
        try:
            library = self._libraries.existing(root)
        except LibraryError:
            return False
        return library is not None and library.is_being_indexed()
