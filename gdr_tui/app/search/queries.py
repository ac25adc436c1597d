"""From draft to answer: which query is the latest, and what becomes of the others.

Free of Textual. Every query has a number and only the latest is answered; a query asked before
the model is loaded waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from gdr_model.errors import UsageError
from gdr_model.steering import ROLLED
from gdr_tui.app.search.draft import Draft
from gdr_tui.app.search.messages import SearchAnswered, SearchRefused
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.trail import Ask, Node, Trail


class Drawing(Protocol):
    """Draws queries on a thread."""

    def ask(self, number: int, ask: Ask, k: int, *, quiet: bool) -> None:
        """Draw a query; the one under way is cancelled."""

    def cancel(self) -> None:
        """Cancel the query under way."""


class Queries:
    """The draft, the trail, and the query under way."""

    def __init__(
        self,
        jobs: Drawing,
        trail: Trail,
        settings: Settings,
        before_asking: Callable[[], object] = lambda: None,
    ) -> None:
        """`before_asking` cancels what a query would have to wait for."""
        self._jobs = jobs
        self._before_asking = before_asking
        self._k = settings.results
        self._number = 0
        self.draft = Draft.fresh(settings)
        self.trail = trail
        self.has_model = False
        self.waiting = False
        """A query was asked before the model was loaded."""
        self.busy = False
        """A query of the user's is being drawn."""
        self._asked = Ask(self.draft.steering)
        """The query that was started last."""
        self.took_s: float | None = None
        """How long the user's last query took."""
        self._outdated = False
        """Tracks arrived meanwhile that its answer may lack."""

    def ask(self) -> None:
        """Ask what is drafted; what was asked before is dropped.

        Raises:
            UsageError: if the draft is invalid.
        """
        ask = self.draft.ask()
        if not self.has_model:
            self.waiting = True
            return
        self.waiting, self.busy = False, True
        self._start(ask, quiet=False)

    def reroll(self) -> None:
        """Draft the next roll of the prompt, at the spread it has or one in the middle."""
        spread = self.draft.steering.spread or ROLLED
        self.draft.steer(spread=spread, roll=self.trail.unused_roll(self.draft.prompt))

    def prefer(self, chosen: Path | None, sight: Sequence[Path], name: str) -> str:
        """Draft that a result is the nearest of those in sight, or undo that; says what follows.

        The list stays until the draft is asked: the next nearest can be chosen, too.
        """
        if self.trail.current is None or chosen is None:
            return "search first; then this says which result is the nearest"
        try:
            said = self.draft.prefer(chosen, sight, self.trail.current.ask.steering)
        except UsageError as error:
            return str(error)
        learns = "Enter learns from it, or choose the next nearest"
        return f"nearest: {name}; {learns}" if said else f"not the nearest: {name}"

    def ask_again(self) -> None:
        """Ask the shown query again because tracks arrived; after the user's, never instead."""
        self._outdated = self.busy
        if self.trail.current and self.has_model and not self.busy:
            self._start(self.trail.current.ask, quiet=True)

    def answered(self, answer: SearchAnswered) -> Node | None:
        """Keep an answer in the trail; None if it is stale."""
        if answer.number != self._number:
            return None
        if not answer.quiet:
            self.took_s = answer.took_s
        node = self.trail.answer(answer.ask, answer.results)
        self._end()
        return node

    def refused(self, refusal: SearchRefused) -> bool:
        """End a query that was refused; True if the user should see why."""
        if refusal.number != self._number:
            return False
        self._end()
        return not refusal.quiet

    def return_to(self, node: Node) -> None:
        """Go to a query of the trail; the one under way is dropped."""
        self._number += 1
        self._jobs.cancel()
        self.waiting = False
        self.trail.go(node)
        self.draft.become(node.ask)
        self._end()
        self.mend()

    def outdate(self) -> None:
        """Draw everything again once it is returned to: another model answers from now on."""
        self._jobs.cancel()
        self.trail.outdate()
        if self.busy:
            self._start(self._asked, quiet=False)
        else:
            self.mend()

    def mend(self) -> None:
        """Draw a query of an earlier session again, whose results may be out of date."""
        if self.trail.current and self.trail.current.stale:
            self.ask_again()

    def _start(self, ask: Ask, *, quiet: bool) -> None:
        self._number += 1
        self._asked = ask
        self._before_asking()
        self._jobs.ask(self._number, ask, self._k, quiet=quiet)

    def _end(self) -> None:
        """End the user's query, and let in tracks that arrived during it."""
        self.busy = False
        if self._outdated:
            self.ask_again()
