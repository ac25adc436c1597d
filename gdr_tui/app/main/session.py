"""The app's only door to gdr_model: plain calls, free of Textual, safe from any thread.

Everything heavy is imported inside the call that needs it, so importing this module loads
neither torch nor an index. `load` must have answered before `search`, `ingest` and `refresh`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gdr_model.errors import Cancelled, DecodeError, LibraryError, ModelError
from gdr_model.types import Array, Cancel, Results, Steering, Track, never
from gdr_tui.app.gc_control import kept_for_good
from gdr_tui.app.library.folders import Folder, folders
from gdr_tui.app.library.pause import Pause
from gdr_tui.app.map.compute import MapSession
from gdr_tui.app.values import Catalogue, Indexed, Indexing, Loaded, Prints, measured, sentence
from gdr_tui.safe_text import literal
from gdr_tui.user_paths import typed_path

if TYPE_CHECKING:
    from gdr_model.models.checkpoint import Model
    from gdr_model.search.retriever import Retriever
    from gdr_model.store.ingest import Progress
    from gdr_model.store.library import Library

__all__ = [
    "Catalogue", "Indexed", "Indexing", "Loaded", "Prints", "Session", "measured", "sentence"
]  # fmt: skip

PLAYBACK_HZ = 44_100
PEAK_COLUMNS = 1_000
"""More columns than any terminal draws; a widget thins them out."""
PAGE = 500
"""Tracks listed before the first query; nobody scrolls through a hundred thousand."""
REMEMBERED = 64
"""Draws kept in memory, a few kilobytes each: back in the trail, likes, bans and filters are
answered from them at once."""


class Session(MapSession):
    """Libraries, a model and the retriever over both."""

    def __init__(self, roots: list[Path], model: str = "builtin", device: str = "auto") -> None:
        super().__init__()
        # Not `resolve`: paths are shown and exported as the user spells their folder.
        self.roots = [Path(os.path.abspath(root)) for root in roots]
        self.model_name = model
        self._device = device
        self._model: Model | None = None
        self._retriever: Retriever | None = None
        self._libraries: dict[Path, Library] = {}
        self._shelved: list[Library] = []
        self._generations: list[int] = []
        """The libraries the retriever was made for, and how they stood when it last looked."""
        self._opening = threading.Lock()
        self._ingesting = threading.Lock()
        self.pause = Pause()
        """Where indexing rests while the user wants it to."""
        self._locked: list[Path] = []
        """Folders that another program was indexing when this one tried to."""

    def add(self, root: Path) -> Path:
        """Take in another music folder.

        Raises:
            LibraryError: if there is no such folder.
            UsageError: if there can be none of this name.
        """
        with typed_path(str(root)):
            folder = Path(os.path.abspath(root.expanduser()))
            if not folder.is_dir():
                raise LibraryError(f"there is no folder {literal(str(root))}; type the path of one")
            known = map(os.path.realpath, self.roots)
            if os.path.realpath(folder) not in known:
                self.roots.append(folder)
        return folder

    def catalogue(self) -> Catalogue:
        """Count the tracks of every library and list the first ones; needs no model."""
        libraries = self._known()
        first: list[Track] = []
        for library in libraries:
            if len(first) < PAGE:
                first += library.first(PAGE - len(first))
        return Catalogue(
            count=sum(library.count() for library in libraries),
            first=tuple(first),
            failures=sum(len(library.failures()) for library in libraries),
            roots=tuple(self.roots),
        )

    def holdings(self) -> tuple[Folder, ...]:
        """Every folder with its tracks and the files in it that could not be read."""
        found: list[Folder] = []
        for root in list(self.roots):
            problem = "" if root.is_dir() else "the folder is not there; what is known is kept"
            library = self._existing(root)
            stamps, failures = (library.stamps(), library.failures()) if library else ({}, [])
            found += folders(root, stamps, failures, problem)
        return tuple(found)

    def forget_failures(self, paths: Sequence[Path]) -> None:
        """Let the next indexing try files again that could not be read."""
        for library in self._known():
            failed = {library.path(name): name for name in library.failed_stamps()}
            if names := [failed[path] for path in paths if path in failed]:
                library.forget(names)

    def tags(self) -> dict[str, list[tuple[str, int]]]:
        """Of artist, album, genre and year the values, with how many tracks have each."""
        found = {}
        for name in ("genre", "artist", "album", "year"):
            total: Counter[str] = Counter()
            for library in self._known():
                total.update(dict(library.values(name)))
            found[name] = total.most_common()
        return found

    def generations(self) -> list[int]:
        """How every library stands; another number whenever any program has changed one."""
        return [library.generation for library in self._known()]

    @kept_for_good()
    def load(self) -> Loaded:
        """Load the model; the slow step, seconds.

        Raises:
            ModelError: if it is missing or malformed.
        """
        from gdr_model.models import checkpoint

        self._model = checkpoint.load(self.model_name, self._device)
        bare = "" if self._model.retrieving else ", contrastive"
        return Loaded(f"{self._model.name}{bare}", str(self._model.device))

    def to_processor(self) -> Loaded | None:
        """Load the model anew where memory is plenty; None if that is where it was."""
        with self._answering:
            if self._needed_model().device.type == "cpu":
                return None
            self._device, self._retriever = "cpu", None
            return self.load()

    @kept_for_good()
    def warm(self) -> None:
        """Load the text side too, which the model would put off until the first query.

        Raises:
            WeightsMissing: if the text weights have to be fetched first.
        """
        with self._answering:  # two threads would load it twice
            self._needed_model().text.embed(["music"])

    def search(
        self,
        steering: Steering,
        k: int,
        where: str = "",
        cancelled: Cancel = never,
    ) -> Results:
        """Draw a query and find the nearest tracks; indexing waits meanwhile.

        A bare pair draws nothing: its words are looked up where they share a space with sound.
        """
        with self._answering:
            self._undisturbed.clear()
            try:
                retriever = self._retrieve()
                method = "gdr" if retriever.model.retrieving else "contrastive"
                return retriever.search(
                    steering, k=k, where=where or None, method=method, cancelled=cancelled
                )
            finally:
                self._undisturbed.set()

    def prints(self) -> Prints:
        """What a session file says of who answers; the tracks of every library are gone through.

        Raises:
            ModelError: while the model is loading.
        """
        from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint

        config = self._needed_model().config
        libraries = tuple(LibraryPrint.of(library) for library in self._known())
        return Prints(ModelPrint.of(config), libraries)

    def check_filter(self, where: str) -> None:
        """Read a filter without searching; an empty one is none.

        Raises:
            UsageError: naming what cannot be read in it.
        """
        from gdr_model.store import filters

        if where:
            filters.parse(where)

    def refresh(self) -> bool:
        """Let queries find what was indexed since; whether that is anything."""
        with self._answering:
            before = self._generations
            self._retrieve()
            return self._generations != before

    def ingest(self, on_progress: Callable[[Indexing], None], cancelled: Cancel = never) -> Indexed:
        """Index what is new or changed, folder after folder.

        Raises:
            Cancelled: when asked; everything done so far is kept.
        """
        while not self._ingesting.acquire(timeout=0.1):  # until a cancelled one has ended
            if cancelled():
                raise Cancelled("stopped")
        try:
            return self._ingest_all(on_progress, cancelled)
        finally:
            self._ingesting.release()

    def unlocked(self) -> bool:
        """Whether folders that another program was indexing can be indexed by now."""
        return bool(self._locked) and not any(map(_is_locked, self._locked))

    def peaks(self, path: Path, cancelled: Cancel = never) -> Array:
        """The waveform (columns, 2): lowest and highest sample of every column."""
        from gdr_model import audio

        return audio.peaks(audio.decode(path, 8_000, cancelled=cancelled).samples, PEAK_COLUMNS)

    def sound(self, path: Path, start_s: float, length_s: float) -> Array:
        """A stretch (N, 2) of a track at `PLAYBACK_HZ`; empty from its end on."""
        from gdr_model import audio

        try:
            return audio.load_for_playback(path, PLAYBACK_HZ, start_s=start_s, length_s=length_s)
        except DecodeError:
            if not start_s:
                raise
            return np.zeros((0, 2), np.float32)

    def close(self) -> None:
        """Let go of the libraries."""
        with self._opening:
            for library in self._libraries.values():
                library.close()
            self._libraries.clear()

    def _ingest_all(self, on_progress: Callable[[Indexing], None], cancelled: Cancel) -> Indexed:
        began = time.monotonic()
        total = Indexed()
        self._locked = []
        for root in list(self.roots):
            try:
                total = self._ingest_one(root, total, on_progress, cancelled)
            except (LibraryError, DecodeError, OSError) as error:
                total = replace(total, problems=(*total.problems, sentence(error)))
                if _is_locked(root):
                    self._locked.append(root)
        return replace(total, took_s=time.monotonic() - began)

    def _ingest_one(
        self,
        root: Path,
        total: Indexed,
        on_progress: Callable[[Indexing], None],
        cancelled: Cancel,
    ) -> Indexed:
        """Index one folder on top of what the earlier ones gave."""
        from gdr_model.store import ingest

        model = self._needed_model()
        if not root.is_dir():
            raise LibraryError(f"the folder {literal(str(root))} is not there any more")
        library = self._opened(root)

        rested_s = self.pause.rested_s

        def tell(progress: Progress) -> None:
            worked_s = progress.elapsed_s - (self.pause.rested_s - rested_s)
            on_progress(measured(progress.done, progress.total, worked_s, progress.path))

        def polled() -> bool:
            # Asked between the pieces of a track: whoever asked waits for the query, and nobody
            # waits for the index.
            while not self._undisturbed.wait(0.1) and not cancelled():
                pass
            self.pause.pass_by(cancelled)
            return cancelled()

        summary = ingest.ingest(library, model.encoder, on_progress=tell, cancelled=polled)
        return replace(
            total,
            encoded=total.encoded + summary.encoded,
            gone=total.gone + summary.gone,
            failed=total.failed + len(summary.failed) + summary.skipped_failed,
        )

    def _retrieve(self) -> Retriever:
        """The retriever over every library, with all that is in them by now."""
        model = self._needed_model()
        if not self.roots:
            raise LibraryError("there is no library yet; press o and type a folder of music")
        libraries = [self._opened(root) for root in self.roots if root.is_dir()]
        if not libraries:
            raise LibraryError(f"the folder {literal(str(self.roots[0]))} is not there any more")
        generations = [library.generation for library in libraries]
        if self._retriever is None or self._shelved != libraries:
            from gdr_model.search.retriever import Retriever

            with kept_for_good():
                kept = Retriever(model, libraries, remember=REMEMBERED)
            self._retriever, self._shelved = kept, libraries
        elif generations != self._generations:
            self._retriever.refresh()
        self._generations = generations
        return self._retriever

    def _needed_model(self) -> Model:
        if self._model is None:
            raise ModelError("the model is still loading; the query runs when it is there")
        return self._model

    def _known(self) -> list[Library]:
        """The libraries of the folders that were ever indexed."""
        return [library for root in list(self.roots) if (library := self._existing(root))]

    def _existing(self, root: Path) -> Library | None:
        """The library of `root`, or None if it was never indexed."""
        from gdr_model import paths

        known = self._libraries.get(root)
        return known or (self._opened(root) if paths.store_of(root).exists() else None)

    def _opened(self, root: Path) -> Library:
        """The library of `root`, made if it is not there."""
        from gdr_model.store.library import Library

        with self._opening:
            if root not in self._libraries:
                self._libraries[root] = Library.open(root, create=True)
            return self._libraries[root]


def _is_locked(root: Path) -> bool:
    """Whether a program is indexing this folder."""
    from filelock import FileLock, Timeout

    from gdr_model import paths

    lock = paths.store_of(root) / "ingest.lock"
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False
