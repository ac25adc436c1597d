"""The session's part for searching; plain calls, safe from any thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.steering import Steering
from gdr_model.types import Cancel, Method, Results, never
from gdr_tui.app.retrievers import Retrievers


class Searcher:
    """Draws queries and answers them."""

    def __init__(self, retrievers: Retrievers) -> None:
        self._retrievers = retrievers

    def search(
        self,
        steering: Steering,
        k: int,
        where: str = "",
        cancelled: Cancel = never,
        limits: Limits = NO_LIMITS,
    ) -> Results:
        """Draw a query and find the nearest tracks; indexing waits meanwhile.

        A pair of encoders without a retriever draws nothing: its words are looked up where they
        share a space with sound.
        """
        with self._retrievers.drawing() as retriever:
            method = Method.GDR if retriever.model.networks else Method.CONTRASTIVE
            return retriever.search(steering, k, where or None, method, cancelled, limits=limits)

    def notes(self, results: Results) -> tuple[str, ...]:
        """What the user should know about an answer, in sentences."""
        from gdr_model.search.understanding import notes
        from gdr_tui.language.understood import sentence

        with self._retrievers.drawing() as retriever:
            model = retriever.model
            return tuple(map(sentence, notes(model.understanding, model.text, results)))

    def check_filter(self, where: str) -> None:
        """Parse a filter without searching; "" is no filter.

        Raises:
            UsageError: naming what cannot be parsed.
        """
        from gdr_model.store import filters

        if where:
            filters.parse(where)

    def missing(self, paths: Sequence[Path]) -> frozenset[Path]:
        """The files that are not there now."""
        from gdr_model.store.folder.presence import missing

        return frozenset(missing(paths))

    def counts(self, conditions: Sequence[str]) -> dict[str, int]:
        """The number of tracks that match each filter.

        Raises:
            UsageError: naming what cannot be parsed in one.
        """
        libraries = self._retrievers.known()
        return {
            each: sum(sum(1 for _ in one.kept(each)) for one in libraries) for each in conditions
        }
