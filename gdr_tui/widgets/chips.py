"""What steers a query besides its prompt, as chips in one row; a click takes one away."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from gdr_tui.draft import Chip
from gdr_tui.literal import fit

_WIDEST = 28
_GLYPH = " ×"


class Chips(Widget):
    """The row of chips; those that do not fit are counted at its end."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "chips--filter",
        "chips--edit",
        "chips--like",
        "chips--ban",
        "chips--negative",
        "chips--hint",
    }

    class Removed(Message):
        """The user clicked a chip away."""

        def __init__(self, chip: Chip) -> None:
            super().__init__()
            self.chip = chip

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._chips: list[Chip] = []
        self.hint = ""

    def show(self, chips: list[Chip]) -> None:
        """Draw these chips."""
        self._chips = chips
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Take the chip under the pointer away."""
        x = event.get_content_offset_capture(self).x
        for chip, text, left in self._laid_out():
            if left <= x < left + cell_len(text):
                self.post_message(self.Removed(chip))
                return

    def render_line(self, y: int) -> Strip:
        """The one row."""
        width, plain = self.size.width, self.rich_style
        if y or not self._chips:
            hint = Segment(fit(self.hint if not y else "", width), self._style("hint"))
            return Strip([hint]).adjust_cell_length(width, plain)
        segments, shown = [], self._laid_out()
        for chip, text, _ in shown:
            segments += [Segment(text, self._style(chip.kind)), Segment(" ", plain)]
        if more := len(self._chips) - len(shown):
            segments.append(Segment(f"+{more}", self._style("hint")))
        return Strip(segments).adjust_cell_length(width, plain)

    def _laid_out(self) -> list[tuple[Chip, str, int]]:
        """The chips that fit, newest first choice, each with its text and left edge."""
        room, kept = self.size.width - 4, []
        for chip in reversed(self._chips):
            cells = min(cell_len(chip.text), _WIDEST)
            text = f" {fit(chip.text, cells)}{_GLYPH} "
            if cell_len(text) > room:
                break
            room -= cell_len(text) + 1
            kept.append((chip, text))
        placed, left = [], 0
        for chip, text in reversed(kept):
            placed.append((chip, text, left))
            left += cell_len(text) + 1
        return placed

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"chips--{kind}")
