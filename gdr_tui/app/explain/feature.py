"""Explanations on the screen: the interpretations of a prompt, and why a track was found."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from textual.message import Message

from gdr_model.types import Hit, Results
from gdr_tui.app.explain.jobs import ExplainJobs
from gdr_tui.app.explain.messages import InterpretationsFound, WhyFound
from gdr_tui.app.explain.state import ExplainState
from gdr_tui.app.explain.tabs import InterpretationTabs, named
from gdr_tui.app.explain.why_dialog import WhyDialog
from gdr_tui.app.feature import Host
from gdr_tui.app.messages import ModelReplaced, WentWrong
from gdr_tui.app.trail.trail import Node


class ListsResults(Protocol):
    """Puts results into the list."""

    def __call__(
        self, results: Results, compared: Results | None, keep: Path | None, note: str = ""
    ) -> None:
        """List hits with their moves since `compared`; the cursor goes to `keep`."""


class ExplainFeature:
    """Lists interpretations, and opens the dialog that takes a score apart."""

    def __init__(
        self, host: Host, jobs: ExplainJobs, list_results: ListsResults, key: str, k: int
    ) -> None:
        """Find nothing yet.

        Args:
            host: the main screen.
            jobs: compute on threads.
            list_results: puts the results of an interpretation into the list.
            key: the key that goes to the next interpretation, as the tabs show it.
            k: how many results an interpretation has.
        """
        self._host = host
        self._jobs = jobs
        self._list_results = list_results
        self._k = k
        self._dialog: WhyDialog | None = None
        self.state = ExplainState()
        self.tabs = InterpretationTabs(key, id="interpretations")

    def show(self, node: Node, *, keep: bool) -> None:
        """Show all draws, or the interpretation that was listed where the query is the same."""
        if self.state.enter(node):
            ask = node.ask
            self.tabs.clear()
            self._jobs.interpretations(node.results, self._k, ask.where, ask.limits)
        else:
            self._show_interpretation(node)

    def take(self, message: Message) -> None:
        """Show what was found; list what was picked."""
        match message:
            case ModelReplaced():
                self._jobs.cancel()
                self.tabs.show((), 0)
            case InterpretationsFound():
                self._take_interpretations(message)
            case WentWrong(about="interpretations"):
                self.tabs.show((), 0)
            case InterpretationTabs.Picked():
                self._pick(message.at)
            case WhyFound() if self._dialog and self.state.is_latest(message.number):
                self._dialog.show(message.why or message.problem)

    # Interpretations

    def action_interpretation(self) -> None:
        """List the next interpretation, and after the last all draws together."""
        node = self._host.node
        if self.state.of(node):
            self._pick(self.state.after(node))
        elif node and not node.ask.steering.worded:
            self._host.say("without a prompt nothing is drawn, so there is nothing to interpret")
        elif node:
            self._host.say("all draws agree; there is only one interpretation")
        else:
            self._host.say("there is nothing to interpret yet; search first")

    def _take_interpretations(self, found: InterpretationsFound) -> None:
        """Keep the interpretations of the query shown; stale ones are dropped."""
        node = self._host.node
        if node and node.results is found.results:
            self.state.put(node, found.interpretations)
            self._show_interpretation(node)

    def _pick(self, at: int) -> None:
        self.state.choose(at)
        if at == 0:
            self._host.show_node(keep=True)
        elif node := self._host.node:
            self._show_interpretation(node)

    def _show_interpretation(self, node: Node) -> None:
        """Show the tabs, and the list of the interpretation chosen."""
        self.tabs.show(self.state.of(node), self.state.chosen(node))
        if interpretation := self.state.listed(node):
            track = self._host.rows.track
            keep = track.path if track else None
            note = f"as {named(interpretation)}"
            self._list_results(interpretation.results, node.results, keep, note)

    # Why

    def action_why(self) -> None:
        """Take the score of the chosen hit apart."""
        rows, results = self._host.rows, self._host.listed
        hit = rows.hit
        if hit is None or results is None:
            self._host.say("select a result first, then press w")
            return
        if not len(results.query.vectors):
            self._host.say("this query is being searched again; try again soon")
            return

        def step(by: int) -> tuple[Hit, int]:
            rows.move(by)
            now = rows.hit or hit
            self._ask_why(now)
            return now, rows.rank

        def closed(_: None) -> None:
            self._dialog = None

        self._ask_why(hit)
        self._dialog = WhyDialog(hit, rows.rank, step)
        self._host.open(self._dialog, closed)

    def _ask_why(self, hit: Hit) -> None:
        if results := self._host.listed:
            self._jobs.why(self.state.ask_why(), results.query, hit)
