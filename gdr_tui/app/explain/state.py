"""Which interpretation of the current query is listed, and which question why is the latest."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from gdr_model.explanation import Interpretation
from gdr_model.types import Results
from gdr_tui.app.trail.trail import Ask, Node


class ExplainState:
    """The interpretations of every query that has some, as long as the trail holds the query."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Node, tuple[Results, tuple[Interpretation, ...]]] = (
            WeakKeyDictionary()
        )
        self._chosen = 0
        self._ask: Ask | None = None
        """The query that `_chosen` was chosen for."""
        self._question = 0

    def enter(self, node: Node) -> bool:
        """Come to a query; True if its interpretations have to be found.

        The choice is kept as long as the query is the same.
        """
        if node.ask != self._ask:
            self._chosen, self._ask = 0, node.ask
        results = node.results
        known = self._known.get(node)
        new = known is None or known[0] is not results
        return new and bool(results.hits) and len(results.query.vectors) > 1

    def put(self, node: Node, interpretations: tuple[Interpretation, ...]) -> None:
        """Keep what was found for a query's present results."""
        self._known[node] = node.results, interpretations

    def of(self, node: Node | None) -> tuple[Interpretation, ...]:
        """The interpretations found for the results that a query has now."""
        known = self._known.get(node) if node else None
        return known[1] if node and known and known[0] is node.results else ()

    def chosen(self, node: Node | None) -> int:
        """Which interpretation of a query is listed, from 1; 0 is all draws together."""
        if node is None or node.ask != self._ask or self._chosen > len(self.of(node)):
            return 0
        return self._chosen

    def listed(self, node: Node | None) -> Interpretation | None:
        """The interpretation that is listed; None for all draws together."""
        at = self.chosen(node)
        return self.of(node)[at - 1] if at else None

    def choose(self, at: int) -> None:
        """List another interpretation of the query entered last, or with 0 all draws."""
        self._chosen = at

    def after(self, node: Node | None) -> int:
        """The interpretation after the one listed, and after the last all draws together."""
        return (self.chosen(node) + 1) % (len(self.of(node)) + 1)

    # Why

    def ask_why(self) -> int:
        """A number for a new question; answers to earlier ones are stale from now on."""
        self._question += 1
        return self._question

    def is_latest(self, number: int) -> bool:
        """Whether an answer is to the latest question."""
        return number == self._question
