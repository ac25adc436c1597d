"""Explanations are computed on threads."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from gdr_model.errors import Cancelled
from gdr_model.explanation import Interpretation, Why
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.types import Cancel, Hit, Query, Results, never
from gdr_tui.app.explain.messages import InterpretationsFound, WhyFound
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.values import sentence


class Explains(Protocol):
    """The part of a session that explains."""

    @property
    def knows_words(self) -> bool:
        """Whether interpretations can be named at once."""

    def explain(self, query: Query, hit: Hit, cancelled: Cancel = never) -> Why:
        """Take the score of a hit apart."""

    def interpretations(
        self,
        results: Results,
        k: int,
        where: str = "",
        limits: Limits = NO_LIMITS,
        *,
        named: bool = True,
    ) -> tuple[Interpretation, ...]:
        """The interpretations of a query, largest first; none where its draws agree."""


class ExplainJobs:
    """Starts the computing of explanations."""

    def __init__(self, tasks: Tasks, explainer: Explains) -> None:
        self._tasks = tasks
        self._explainer = explainer

    def interpretations(self, results: Results, k: int, where: str, limits: Limits) -> None:
        """Find the interpretations of a query."""
        work = partial(self._interpretations, results, k, where, limits)
        self._tasks.guard("interpretations", work, "interpretations")

    def why(self, number: int, query: Query, hit: Hit) -> None:
        """Take a score apart."""
        self._tasks.start("why", partial(self._why, number, query, hit))

    def cancel(self) -> None:
        """Stop explaining what was drawn."""
        self._tasks.cancel("interpretations")
        self.cancel_why()

    def cancel_why(self) -> None:
        """Stop taking a score apart; a query would have to wait for its draws."""
        self._tasks.cancel("why")

    def _interpretations(
        self, results: Results, k: int, where: str, limits: Limits, cancelled: Cancel
    ) -> None:
        # The first time, names wait for the vocabulary; the lists need not.
        for named in (True,) if self._explainer.knows_words else (False, True):
            interpretations = self._explainer.interpretations(
                results, k, where, limits, named=named
            )
            if cancelled():
                return
            self._tasks.post(InterpretationsFound(results, interpretations))
            if not interpretations:
                return

    def _why(self, number: int, query: Query, hit: Hit, cancelled: Cancel) -> None:
        try:
            why = self._explainer.explain(query, hit, cancelled)
            self._tasks.post(WhyFound(number, why))
        except Cancelled:
            return
        except Exception as error:
            self._tasks.post(WhyFound(number, None, sentence(error)))
