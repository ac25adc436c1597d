"""From draft to answer: which query is the latest, and what becomes of the others.

Free of Textual. Every query has a number and only the latest may answer; a query asked before
the model is there waits for it.
"""

from __future__ import annotations

from gdr_tui.app.search.draft import Draft
from gdr_tui.app.search.jobs import SearchJobs
from gdr_tui.app.search.messages import SearchAnswered, SearchRefused
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.trail import Node, Trail


class Asking:
    """The draft, the trail, and the query under way."""

    def __init__(self, jobs: SearchJobs, settings: Settings) -> None:
        self._jobs = jobs
        self._k = settings.results
        self._number = 0
        self.draft = Draft.fresh(settings)
        self.trail = Trail()
        self.has_model = False
        self.waiting = False
        """A query was asked, but there is no model yet."""
        self.busy = False
        """A query of the user's is being drawn."""
        self._outdated = False
        """Tracks arrived meanwhile, which its answer may lack."""

    def ask(self) -> None:
        """Ask what is drafted; what was asked before is dropped.

        Raises:
            UsageError: if the draft cannot be meant.
        """
        ask = self.draft.ask()
        if not self.has_model:
            self.waiting = True
            return
        self._number += 1
        self.waiting, self.busy = False, True
        self._jobs.ask(self._number, ask, self._k, quiet=False)

    def ask_again(self) -> None:
        """Ask the shown query again because tracks arrived; after the user's, never instead."""
        self._outdated = self.busy
        if self.trail.current and self.has_model and not self.busy:
            self._number += 1
            self._jobs.ask(self._number, self.trail.current.ask, self._k, quiet=True)

    def answered(self, answer: SearchAnswered) -> Node | None:
        """Keep an answer in the trail; None if it is stale."""
        if answer.number != self._number:
            return None
        node = self.trail.answer(answer.ask, answer.results)
        self._end()
        return node

    def refused(self, refusal: SearchRefused) -> bool:
        """Whether the user should hear of it."""
        if refusal.number != self._number:
            return False
        self._end()
        return not refusal.quiet

    def stand_on(self, node: Node) -> None:
        """Go to a query of the trail; the one under way is dropped."""
        self._number += 1
        self._jobs.cancel()
        self.waiting = False
        self.trail.go(node)
        self.draft.become(node.ask)
        self._end()
        self.mend()

    def mend(self) -> None:
        """Draw a query of an earlier sitting again, whose results may be others by now."""
        if self.trail.current and self.trail.current.stale:
            self.ask_again()

    def _end(self) -> None:
        """Nothing of the user's is under way any more: the time to let in what arrived."""
        self.busy = False
        if self._outdated:
            self.ask_again()
