"""The trail widget: every query of this and earlier sessions as a tree."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.binding import BindingType

from gdr_tui.app import keys
from gdr_tui.app.trail.trail import Node, Trail, hidden
from gdr_tui.app.ui.listing import Listing
from gdr_tui.safe_text import fit, literal


class TrailList(Listing):
    """A tree of queries; Enter or a double click goes to one."""

    BORDER_TITLE = "trail"
    BINDINGS: ClassVar[list[BindingType]] = list(keys.IN_TRAIL)
    COMPONENT_CLASSES: ClassVar[set[str]] = {"trail--here", "trail--lines", "trail--other"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.add_class("-empty")
        self._rows: list[tuple[Node, str]] = []
        self._here: Node | None = None
        self._other: Node | None = None
        self._way: set[int] = set()
        self.empty = ("every query of this session will be listed here",)

    @property
    def length(self) -> int:
        """Number of queries shown."""
        return len(self._rows)

    @property
    def node(self) -> Node | None:
        """The query under the cursor."""
        return self._rows[self.cursor][0] if self._rows else None

    def show(self, trail: Trail, *, stay: bool = False, at: Node | None = None) -> None:
        """Show the tree; the cursor goes to the current query, to `at`, or stays.

        Before the first query of a session it goes to the end, where the last session's are.
        """
        under = self.node if stay else at
        self._rows = list(trail.rows())
        self.set_class(not self._rows, "-empty")
        self._here, self._other = trail.current, trail.other
        self._way = {step.number for step in self._here.line()} if self._here else set()
        places = {node.number: row for row, (node, _) in enumerate(self._rows)}
        there = under or self._here
        last = len(self._rows) - 1
        self.filled(places.get(there.number, self.cursor if stay else last) if there else last)

    def open(self) -> None:
        """Take the focus and grow; a click only takes the focus.

        If it grew under the pointer, a double click would hit two different lines.
        """
        self.add_class("-open")
        self.focus()

    def on_focus(self) -> None:
        """Show the keys in the title."""
        self.border_title = (
            "trail · Enter goes to it · c compare · R name · z fold · d hide · e save"
        )

    def on_blur(self) -> None:
        """Shrink, and show the plain title."""
        self.remove_class("-open")
        self.border_title = self.BORDER_TITLE

    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """One query: tree lines, what changed, and what it found."""
        node, lines = self._rows[row]
        here = node is self._here
        style = "trail--here" if here else "" if node.number in self._way else "listing--dim"
        mark = "◉ " if here else "◆ " if node is self._other else "● "
        lit = "trail--here" if here else "trail--other" if node is self._other else style
        outcome = self._outcome(node, width)
        head = f" {lines}"
        below = f"  ⋯ {hidden(node)} more" if node.folded else ""
        room = width - len(head) - 2 - len(outcome) - len(below)
        return [
            (head, "trail--lines"),
            (mark, lit or "trail--lines"),
            (fit(literal(node.title), room), style),
            (below, "listing--dim"),
            (outcome, "listing--dim"),
        ]

    @staticmethod
    def _outcome(node: Node, width: int) -> str:
        """Number of tracks, agreement of the draws, and the day of an earlier query."""
        count, agreement = len(node.results.hits), node.results.agreement
        forgotten = node.stale and not count
        agree = f" · agree {agreement:.2f}" if node.ask.steering.worded else ""
        outcome = " " if forgotten else f" {count}{agree} "
        if node.earlier and width >= 60:
            outcome = f" {time.strftime('%d %b', time.localtime(node.asked_at))} ·{outcome}"
        return outcome
