"""Queries are drawn on threads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from gdr_model.errors import Cancelled
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.steering import Steering
from gdr_model.types import Cancel, Results, never
from gdr_tui.app.messages import ModelLoaded, WentWrong
from gdr_tui.app.previews import Previews, Try
from gdr_tui.app.search.draft import conditions
from gdr_tui.app.search.messages import (
    ConditionsCounted,
    FilesMissed,
    SearchAnswered,
    SearchRefused,
)
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.trail.trail import Ask
from gdr_tui.app.values import Loaded, out_of_memory, sentence


class Searches(Protocol):
    """The part of a session that searches."""

    def search(
        self,
        steering: Steering,
        k: int,
        where: str = "",
        cancelled: Cancel = never,
        limits: Limits = NO_LIMITS,
    ) -> Results:
        """Draw a query and find the nearest tracks."""

    def notes(self, results: Results) -> tuple[str, ...]:
        """What the user should know about an answer, in sentences."""

    def check_filter(self, where: str) -> None:
        """Parse a filter without searching; `UsageError` if it cannot be parsed."""

    def missing(self, paths: Sequence[Path]) -> frozenset[Path]:
        """The files that are not there now."""

    def counts(self, conditions: Sequence[str]) -> dict[str, int]:
        """The number of tracks that match each filter."""


class MovesToCpu(Protocol):
    """The part of a session that can move the model."""

    def to_cpu(self) -> Loaded | None:
        """Load the model again on the CPU; None if it was there."""


class SearchJobs:
    """Starts the drawing of queries."""

    def __init__(self, tasks: Tasks, searcher: Searches, model: MovesToCpu) -> None:
        self._tasks = tasks
        self._searcher = searcher
        self._model = model
        self.previews = Previews(tasks, self.find)

    def ask(self, number: int, ask: Ask, k: int, *, quiet: bool) -> None:
        """Draw a query, unless it is being tried; the one under way is cancelled."""
        tried = None if quiet else self.previews.take_over(ask)
        self._tasks.start("search", partial(self._search, number, ask, k, quiet, tried))

    def cancel(self) -> None:
        """Cancel the query under way."""
        self._tasks.cancel("search")
        self.previews.drop()

    def count_conditions(self, where: str) -> None:
        """Count the tracks that match each condition of a filter."""
        self._tasks.guard("conditions", partial(self._count_conditions, where), "filter")

    def look_for(self, paths: Sequence[Path]) -> None:
        """Find out which files are not there now."""
        self._tasks.start("presence", partial(self._look_for, paths))

    def check_filter(self, where: str) -> None:
        """Parse a filter; `UsageError` if it cannot be parsed."""
        self._searcher.check_filter(where)

    def find(self, ask: Ask, k: int, cancelled: Cancel) -> Results:
        """Search; on the CPU from now on where the GPU is too small. Called on a thread."""
        try:
            return self._searcher.search(ask.steering, k, ask.where, cancelled, ask.limits)
        except Exception as error:
            loaded = self._model.to_cpu() if out_of_memory(error) else None
            if loaded is None:
                raise
        self._tasks.post(ModelLoaded(loaded))
        full = "out of GPU memory; continuing on the CPU"
        self._tasks.post(WentWrong(full, "model"))
        return self._searcher.search(ask.steering, k, ask.where, cancelled, ask.limits)

    def _search(
        self, number: int, ask: Ask, k: int, quiet: bool, tried: Try | None, cancelled: Cancel
    ) -> None:
        began = time.monotonic()
        try:
            results = tried.wait(cancelled) if tried else None
            results = results or self.find(ask, k, cancelled)
            notes = () if quiet else self._searcher.notes(results)
        except Cancelled:
            return
        except Exception as error:
            self._tasks.post(SearchRefused(number, sentence(error), quiet))
            return
        if not cancelled():
            took_s = time.monotonic() - began
            self._tasks.post(SearchAnswered(number, ask, results, took_s, quiet, notes))

    def _look_for(self, paths: Sequence[Path], cancelled: Cancel) -> None:
        away = self._searcher.missing(paths)
        if not cancelled():
            self._tasks.post(FilesMissed(away))

    def _count_conditions(self, where: str, _cancelled: Cancel) -> None:
        counts = self._searcher.counts(conditions(where))
        self._tasks.post(ConditionsCounted(where, counts))
