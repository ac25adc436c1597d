"""A dialog that shows what came, went and moved between two queries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from gdr_model.types import Hit
from gdr_tui.app.trail.trail import Comparison, Node, compare
from gdr_tui.app.ui.dialog import Dialog, Line
from gdr_tui.safe_text import literal


def _named(hit: Hit) -> str:
    return literal(hit.name) + (f" · {literal(hit.artist)}" if hit.artist else "")


def lines(difference: Comparison) -> Text:
    """The whole difference, largest moves first."""
    text = Text(no_wrap=True, overflow="ellipsis")
    moved = sorted(difference.moved, key=lambda move: -abs(move[0] - move[1]))
    sections = [
        ("came", [(f"★ {'':4}{rank:>4}", hit) for rank, hit in difference.came]),
        ("went", [(f"✕ {rank:>4}{'':4}", hit) for rank, hit in difference.went]),
        (
            "moved",
            [(f"{'▲' if old > new else '▼'} {old:>3}→{new:<4}", hit) for old, new, hit in moved],
        ),
    ]
    for name, rows in sections:
        if rows:
            text.append(f"{name} {len(rows)}\n", "bold")
        for sign, hit in rows:
            text.append(f"  {sign} {_named(hit)}\n")
    text.append(f"stayed {difference.stayed}", "bold")
    return text


class CompareDialog(Dialog[None]):
    """The two queries, then the difference between their results."""

    TITLE_TEXT: ClassVar[str] = "compare"
    HINT: ClassVar[str] = "↑ ↓ scroll · Esc closes"

    def __init__(self, before: Node, after: Node) -> None:
        super().__init__()
        self._before = before
        self._after = after

    def body(self) -> Iterable[Widget]:
        """Both queries, and what changed between their lists."""
        yield Line(f"before  {literal(self._before.label)}")
        yield Line(f"now     {literal(self._after.label)}", classes="strong")
        difference = compare(self._before.results, self._after.results)
        yield VerticalScroll(Static(lines(difference), markup=False), classes="long")
