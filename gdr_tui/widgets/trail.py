"""The trail on the screen: every query of this sitting, to go back to."""

from __future__ import annotations

from typing import ClassVar

from gdr_tui.literal import fit, literal
from gdr_tui.trail import Node, Trail
from gdr_tui.widgets.listing import Listing


class TrailList(Listing):
    """The queries as a tree; Enter or a double click goes to one."""

    BORDER_TITLE = "trail"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"trail--here", "trail--lines"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.add_class("-empty")
        self._rows: list[tuple[Node, str]] = []
        self._here: Node | None = None
        self._way: set[int] = set()
        self.empty = ("every query of this sitting will be kept here",)

    @property
    def length(self) -> int:
        """How many queries there are."""
        return len(self._rows)

    @property
    def node(self) -> Node | None:
        """The query under the cursor."""
        return self._rows[self.cursor][0] if self._rows else None

    def show(self, trail: Trail) -> None:
        """Draw the tree; the cursor goes to where the sitting stands."""
        self._rows = list(trail.rows())
        self.set_class(not self._rows, "-empty")
        self._here = trail.current
        self._way = set()
        step = trail.current
        while step:
            self._way.add(step.number)
            step = step.parent
        places = {node.number: row for row, (node, _) in enumerate(self._rows)}
        self.filled(places[self._here.number] if self._here else 0)

    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """One query: the lines before it, what changed, what it found."""
        node, lines = self._rows[row]
        here = node is self._here
        style = "trail--here" if here else "" if node.number in self._way else "listing--dim"
        found = f" {len(node.results.hits)} · agree {node.results.agreement:.2f} "
        head = f" {lines}"
        room = width - len(head) - 2 - len(found)
        return [
            (head, "trail--lines"),
            ("◉ " if here else "● ", style or "trail--lines"),
            (fit(literal(node.label), room), style),
            (found, "listing--dim"),
        ]
