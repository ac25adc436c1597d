"""The interpretations of a prompt as tabs above the results, where the draws disagree."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from gdr_model.explanation import Interpretation
from gdr_tui.app.messages import FeatureMessage
from gdr_tui.safe_text import fit, literal

_NAMES = 2
_LEAST = 8
"""Names are not shortened below this many columns."""


def named(interpretation: Interpretation) -> str:
    """An interpretation's first names, and its number of draws."""
    names = ", ".join(literal(name) for name in interpretation.names[:_NAMES])
    return f"{names or '…'} ({len(interpretation.results.query.vectors)})"


class InterpretationTabs(Widget):
    """One row: all draws together, then each interpretation with its number of draws."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "interpretations--tab",
        "interpretations--chosen",
        "interpretations--hint",
    }

    class Picked(FeatureMessage):
        """A tab was clicked; 0 is all draws together."""

        def __init__(self, at: int) -> None:
            super().__init__()
            self.at = at

    def __init__(self, key: str, *, id: str) -> None:
        """`key` goes to the next tab; it is shown before them."""
        super().__init__(id=id)
        self._interpretations: tuple[Interpretation, ...] = ()
        self._at = 0
        self._key = key
        self.display = False

    def show(self, interpretations: tuple[Interpretation, ...], at: int) -> None:
        """Show these tabs; the row is hidden if there are none."""
        self._interpretations, self._at = interpretations, at
        self.display = bool(interpretations)
        self.refresh()

    def clear(self) -> None:
        """Empty the row, if it is shown, until it is known what belongs there.

        From one query with interpretations to the next, the list stays where it is.
        """
        self._interpretations, self._at = (), 0
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Pick the tab under the pointer."""
        left = cell_len(self._lead())
        for at, text in enumerate(self._texts() if self._interpretations else ()):
            if left <= event.x < left + cell_len(text):
                self.post_message(self.Picked(at))
                return
            left += cell_len(text) + 1

    def _lead(self) -> str:
        return f" {self._key} interpretation "

    def _texts(self) -> list[str]:
        """The tabs, with names shortened to fit."""
        draws = sum(
            len(interpretation.results.query.vectors) for interpretation in self._interpretations
        )
        names = [f"all ({draws})", *map(named, self._interpretations)]
        room = self.size.width - cell_len(self._lead()) - 3 * len(names)
        while sum(map(cell_len, names)) > room:
            widest = max(names, key=cell_len)
            if cell_len(widest) <= _LEAST:
                break
            names[names.index(widest)] = fit(widest, cell_len(widest) - 1).rstrip()
        return [f" {name} " for name in names]

    def render_line(self, y: int) -> Strip:
        """Render the row."""
        width, plain = self.size.width, self.rich_style
        if y or not self._interpretations:
            return Strip.blank(width, plain)
        segments = [Segment(self._lead(), self.get_component_rich_style("interpretations--hint"))]
        for at, text in enumerate(self._texts()):
            style = "interpretations--chosen" if at == self._at else "interpretations--tab"
            segments += [Segment(text, self.get_component_rich_style(style)), Segment(" ", plain)]
        return Strip(segments).adjust_cell_length(width, plain)
