"""Everything that steers a query besides its prompt, as chips in one row.

While the row is focused, ← → move, + - change the weight, Delete removes and Enter retypes. With
the mouse, a click chooses a chip, a click on its × removes it, and the wheel changes its weight.
Where there is room left, hints follow the chips.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.strip import Strip
from textual.widget import Widget

from gdr_tui.app import keys
from gdr_tui.app.messages import FeatureMessage
from gdr_tui.labels import KINDS, Chip
from gdr_tui.safe_text import fit

_WIDEST = 28
_GLYPH = " ×"


class Chips(Widget, can_focus=True):
    """The row of chips; those that do not fit are counted at its end."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.CHIPS)
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"chips--{kind}" for kind in KINDS),
        "chips--chosen",
        "chips--hint",
    }

    class Touched(FeatureMessage):
        """The user did something to a chip."""

        def __init__(self, chip: Chip) -> None:
            super().__init__()
            self.chip = chip

    class Removed(Touched):
        """Remove it."""

    class Changed(Touched):
        """Retype it."""

    class Weighed(Touched):
        """Change its weight."""

        def __init__(self, chip: Chip, by: int) -> None:
            super().__init__(chip)
            self.by = by

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._chips: list[Chip] = []
        self._at = 0
        self._hints: Sequence[str] = ()

    def allow_focus(self) -> bool:
        """Skip an empty row."""
        return bool(self._chips)

    def show(self, chips: list[Chip]) -> None:
        """Show these chips; the chosen one stays chosen if it is still there."""
        if chips == self._chips:
            return
        before = self.chosen
        self._chips = chips
        same = [
            n
            for n, c in enumerate(chips)
            if before and (c.kind, c.key) == (before.kind, before.key)
        ]
        self._at = same[0] if same else max(0, min(self._at, len(chips) - 1))
        self.refresh()

    def suggest(self, hints: Sequence[str]) -> None:
        """Show hints where there is room; the last are left out first."""
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    @property
    def chosen(self) -> Chip | None:
        """The chip that keys act on."""
        return self._chips[self._at] if self._chips else None

    def on_focus(self) -> None:
        """Choose the newest chip, the likeliest to be changed."""
        self._at = max(0, len(self._chips) - 1)

    def action_walk(self, by: int) -> None:
        """Go to another chip."""
        self._at = max(0, min(self._at + by, len(self._chips) - 1))
        self.refresh()

    def action_weigh(self, by: int) -> None:
        """Change the weight of the chosen chip."""
        if self.chosen:
            self.post_message(self.Weighed(self.chosen, by))

    def action_remove(self) -> None:
        """Remove the chosen chip."""
        if self.chosen:
            self.post_message(self.Removed(self.chosen))

    def action_change(self) -> None:
        """Retype the chosen chip."""
        if self.chosen:
            self.post_message(self.Changed(self.chosen))

    def on_click(self, event: events.Click) -> None:
        """Choose the chip under the pointer, or remove it by its ×."""
        x = event.get_content_offset_capture(self).x
        for number, text, left in self._laid_out():
            if left <= x < left + cell_len(text):
                self._at = number
                self.refresh()
                if x >= left + cell_len(text) - len(_GLYPH) - 1:
                    self.action_remove()
                elif event.chain == 2:
                    self.action_change()
                return

    def on_mouse_scroll_up(self) -> None:
        """Change the weight of the chosen chip."""
        self.action_weigh(1)

    def on_mouse_scroll_down(self) -> None:
        """Change the weight of the chosen chip."""
        self.action_weigh(-1)

    def render_line(self, y: int) -> Strip:
        """Render the row."""
        width, plain = self.size.width, self.rich_style
        if y:
            return Strip.blank(width, plain)
        segments, shown = [], self._laid_out()
        for number, text, _ in shown:
            style = self._style(self._chips[number].kind)
            if self.has_focus and number == self._at:
                style += self._style("chosen")
            segments += [Segment(text, style), Segment(" ", plain)]
        if more := len(self._chips) - len(shown):
            segments.append(Segment(f"+{more}", self._style("hint")))
        room = width - sum(segment.cell_length for segment in segments)
        segments.append(Segment(self._suggested(room), self._style("hint")))
        return Strip(segments).adjust_cell_length(width, plain)

    def _suggested(self, room: int) -> str:
        """As many hints as there is room for, from the first."""
        said = ""
        for hint in self._hints:
            longer = f"{said} · {hint}" if said else hint
            if cell_len(longer) > room:
                break
            said = longer
        return said

    def _laid_out(self) -> list[tuple[int, str, int]]:
        """The chips that fit, the newest preferred, each with its number, text and left edge."""
        last = len(self._chips) - 1
        kept = self._up_to(last)
        while self.has_focus and kept and kept[0][0] > self._at:
            last -= 1
            kept = self._up_to(last)
        placed, left = [], 0
        for number, text in kept:
            placed.append((number, text, left))
            left += cell_len(text) + 1
        return placed

    def _up_to(self, last: int) -> list[tuple[int, str]]:
        """As many chips as fit, ending with number `last`."""
        room, kept = self.size.width - 4, []
        for number in range(last, -1, -1):
            chip = self._chips[number]
            cells = min(cell_len(chip.text), _WIDEST)
            text = f" {fit(chip.text, cells)}{_GLYPH} "
            if cell_len(text) > room:
                break
            room -= cell_len(text) + 1
            kept.append((number, text))
        return kept[::-1]

    def _style(self, kind: str) -> Style:
        return self.get_component_rich_style(f"chips--{kind}")
