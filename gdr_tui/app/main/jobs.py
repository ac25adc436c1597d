"""What runs on threads: each job asks the session and ends in a message.

A job never raises: what goes wrong becomes one sentence in a message, and the app goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from textual.message import Message

from gdr_model.errors import Cancelled
from gdr_model.types import Cancel, Hit, Query, Results
from gdr_tui.app import messages
from gdr_tui.app.background import Background
from gdr_tui.app.main.session import PLAYBACK_HZ, Indexing, Session, sentence
from gdr_tui.app.map.points import Mapped
from gdr_tui.app.search.draft import conditions
from gdr_tui.app.trail.trail import Ask, Node
from gdr_tui.app.values import out_of_memory

STRETCH_S = 30.0
"""Sound is decoded this much at a time, so that playing starts at once in an hour's mix."""
AHEAD_S = 60.0
BEGINNING_S = 12.0
"""Of results that may be played next, this much is decoded before it is asked for."""
LOOK_EVERY_S = 3.0
"""Tracks indexed since, by this program or another, join the results this often."""


Moment = tuple[Path, float]
"""A file and a second in it."""


class Jobs:
    """Starts work in the background and posts what comes of it."""

    def __init__(
        self, session: Session, background: Background, post: Callable[[Message], object]
    ) -> None:
        self._session = session
        self._background = background
        self._post = post

    def read_catalogue(self) -> None:
        """Say what the library holds."""
        self._run("catalogue", self._catalogue, "library")

    def load(self) -> None:
        """Load the model, then its text side."""
        self._run("load", self._load, "model")

    def follow(self) -> None:
        """Let queries find what is indexed from now on, whichever program does it."""
        self._run("follow", self._follow, "library")

    def index(self) -> None:
        """Index every folder."""
        self._run("index", self._index, "index")

    def pause(self, on: bool) -> None:
        """Let indexing rest, or go on."""
        self._session.pause.turn(on)

    def retry(self, paths: Sequence[Path], *, index: bool) -> None:
        """Forget that files could not be read, so that indexing tries them again."""
        self._run("retry", partial(self._retry, paths, index), "library")

    def holdings(self) -> None:
        """Say what every folder holds."""
        self._run("holdings", self._holdings, "library")

    def ask(self, number: int, ask: Ask, k: int, *, quiet: bool) -> None:
        """Draw a query; the one under way is cancelled."""
        self._background.cancel("why")  # it draws, too, and would be waited for
        work = partial(self._search, number, ask, k, quiet)
        self._background.start("search", work)

    def prints(self) -> None:
        """Find out which model and libraries answer."""
        self._run("prints", self._prints, "session")

    def count_parts(self, where: str) -> None:
        """Count what each condition of a filter lets through."""
        self._run("parts", partial(self._count_parts, where), "filter")

    def preview(self, number: int, ask: Ask, k: int) -> None:
        """Draw an edit that is being tried; the try before is cancelled."""
        self._background.start("preview", partial(self._preview, number, ask, k))

    def give_up_preview(self) -> None:
        """Cancel the try under way."""
        self._background.cancel("preview")

    def interpretations(self, results: Results, k: int, where: str) -> None:
        """Tell the interpretations of a query apart."""
        self._run(
            "interpretations", partial(self._interpretations, results, k, where), "interpretations"
        )

    def why(self, number: int, query: Query, hit: Hit) -> None:
        """Take a score apart."""
        self._background.start("why", partial(self._why, number, query, hit))

    def map(self) -> None:
        """Project the library to the plane."""
        self._run("map", self._map, "map")

    def course(self, mapped: Mapped, node: Node) -> None:
        """Find out where a query lies on the map, and the way to it."""
        self._run("course", partial(self._course, mapped, node), "map")

    def give_up_asking(self) -> None:
        """Cancel the query under way."""
        self._background.cancel("search")

    def peaks(self, path: Path) -> None:
        """Compute a waveform."""
        self._background.start("waveform", partial(self._peaks, path))

    def sound(self, number: int, path: Path, start_s: float, played_s: Callable[[], float]) -> None:
        """Decode for playback, a little ahead of the playhead."""
        self._run("sound", partial(self._sound, number, path, start_s, played_s), "sound")

    def ahead(self, moments: Sequence[Moment]) -> None:
        """Decode beginnings; those under way for other results are given up."""
        self._background.start("ahead", partial(self._ahead, moments))

    def _run(self, lane: str, work: Callable[[Cancel], None], about: str) -> None:
        def guarded(cancelled: Cancel) -> None:
            try:
                work(cancelled)
            except Cancelled:
                return
            except Exception as error:
                if not cancelled():
                    self._post(messages.WentWrong(sentence(error), about))

        self._background.start(lane, guarded)

    def _catalogue(self, _cancelled: Cancel) -> None:
        self._post(messages.CatalogueRead(self._session.catalogue()))
        self._post(messages.TagsRead(self._session.tags(), self._session.words))

    def _load(self, _cancelled: Cancel) -> None:
        self._post(messages.ModelLoaded(self._session.load()))
        try:
            self._session.warm()
        finally:  # without its text side the model still indexes
            self._post(messages.ModelReady())

    def _index(self, cancelled: Cancel) -> None:
        def progressed(indexing: Indexing) -> None:
            self._post(messages.IndexProgressed(indexing))

        indexed = self._session.ingest(progressed, cancelled)
        if cancelled():
            return
        if indexed.encoded or indexed.gone:
            self._refresh(cancelled)
        self._post(messages.IndexFinished(indexed))
        self._catalogue(cancelled)

    def _retry(self, paths: Sequence[Path], index: bool, cancelled: Cancel) -> None:
        self._session.forget_failures(paths)
        if index:
            self.index()
        else:  # it begins when the model is there
            self._catalogue(cancelled)

    def _holdings(self, cancelled: Cancel) -> None:
        folders = self._session.holdings()
        if not cancelled():
            self._post(messages.HoldingsRead(folders))

    def _follow(self, cancelled: Cancel) -> None:
        before = self._session.generations()
        while not _slept(LOOK_EVERY_S, cancelled):
            now = self._session.generations()
            if now != before:
                before = now
                self._refresh(cancelled)
            if self._session.unlocked():
                self.index()

    def _refresh(self, cancelled: Cancel) -> None:
        self._catalogue(cancelled)
        if self._session.refresh():
            self._post(messages.TracksArrived())

    def _prints(self, _cancelled: Cancel) -> None:
        self._post(messages.PrintsRead(self._session.prints()))

    def _preview(self, number: int, ask: Ask, k: int, cancelled: Cancel) -> None:
        began = time.monotonic()
        try:
            results = self._found(ask, k, cancelled)
        except Cancelled:
            return
        except Exception as error:
            self._post(messages.PreviewDrawn(number, None, problem=sentence(error)))
            return
        self._post(messages.PreviewDrawn(number, results, time.monotonic() - began))

    def _interpretations(self, results: Results, k: int, where: str, cancelled: Cancel) -> None:
        # The first time, names wait for the vocabulary; the lists need not.
        for named in (True,) if self._session.knows_words else (False, True):
            interpretations = self._session.interpretations(results, k, where, named=named)
            if cancelled():
                return
            self._post(messages.InterpretationsFound(results, interpretations))
            if not interpretations:
                return

    def _why(self, number: int, query: Query, hit: Hit, cancelled: Cancel) -> None:
        try:
            why = self._session.explain(query, hit, cancelled)
            self._post(messages.WhyFound(number, why))
        except Cancelled:
            return
        except Exception as error:
            self._post(messages.WhyFound(number, None, sentence(error)))

    def _count_parts(self, where: str, _cancelled: Cancel) -> None:
        self._post(messages.PartsCounted(where, self._session.counts(conditions(where))))

    def _map(self, cancelled: Cancel) -> None:
        self._session.map(
            lambda mapped: self._post(messages.MapRead(mapped)),
            lambda share: self._post(messages.MapProgressed(share)),
            cancelled,
        )

    def _course(self, mapped: Mapped, node: Node, _cancelled: Cancel) -> None:
        self._post(messages.CourseRead(node.number, self._session.course(mapped, node)))

    def _found(self, ask: Ask, k: int, cancelled: Cancel) -> Results:
        """Search; by the processor from now on where the GPU is too small."""
        try:
            return self._session.search(ask.steering, k, ask.where, cancelled)
        except Exception as error:
            loaded = self._session.to_processor() if out_of_memory(error) else None
            if loaded is None:
                raise
        self._post(messages.ModelLoaded(loaded))
        full = "the GPU has no memory left; the processor draws from now on"
        self._post(messages.WentWrong(full, "model"))
        return self._session.search(ask.steering, k, ask.where, cancelled)

    def _search(self, number: int, ask: Ask, k: int, quiet: bool, cancelled: Cancel) -> None:
        began = time.monotonic()
        try:
            results = self._found(ask, k, cancelled)
        except Cancelled:
            return
        except Exception as error:
            self._post(messages.SearchRefused(number, sentence(error), quiet))
            return
        if not cancelled():
            took_s = time.monotonic() - began
            self._post(messages.SearchAnswered(number, ask, results, took_s, quiet))

    def _peaks(self, path: Path, cancelled: Cancel) -> None:
        try:
            self._post(messages.PeaksReady(path, self._session.peaks(path, cancelled)))
        except Cancelled:
            return
        except Exception as error:
            none = np.zeros((0, 2), np.float32)
            self._post(messages.PeaksReady(path, none, f"no waveform: {sentence(error)}"))

    def _sound(
        self,
        number: int,
        path: Path,
        start_s: float,
        played_s: Callable[[], float],
        cancelled: Cancel,
    ) -> None:
        at_s, last = start_s, False
        while not last and not cancelled():
            sound = self._session.sound(path, at_s, STRETCH_S)
            last = len(sound) < (STRETCH_S - 1) * PLAYBACK_HZ
            self._post(messages.SoundReady(number, at_s, sound, last))
            at_s += len(sound) / PLAYBACK_HZ
            while not last and not cancelled() and at_s - played_s() > AHEAD_S:
                time.sleep(0.1)

    def _ahead(self, moments: Sequence[Moment], cancelled: Cancel) -> None:
        for path, start_s in moments:
            if cancelled():
                return
            try:
                sound = self._session.sound(path, start_s, BEGINNING_S)
            except Exception:  # noqa: S112 - said when it is played
                continue
            last = len(sound) < (BEGINNING_S - 1) * PLAYBACK_HZ
            if len(sound):
                self._post(messages.SoundAhead((path, start_s), sound, last))


def _slept(seconds: float, cancelled: Cancel) -> bool:
    """Wait, and say whether that was cut short."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not cancelled():
        time.sleep(0.1)
    return cancelled()
