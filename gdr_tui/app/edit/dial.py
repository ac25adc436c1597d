"""A value that is adjusted by keys, wheel and pointer."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from gdr_tui.app import keys
from gdr_tui.safe_text import fit

_LABEL = 10
_LONGEST = 40
_VALUE = 6


class Dial(Widget, can_focus=True):
    """A labelled slider in one row."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.DIALS)
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "dial--label",
        "dial--done",
        "dial--rest",
        "dial--value",
        "dial--focused",
    }

    value: reactive[float] = reactive(0.0)

    class Turned(Message):
        """The value has changed."""

        def __init__(self, dial: Dial) -> None:
            super().__init__()
            self.dial = dial

    def __init__(
        self,
        label: str,
        value: float,
        limits: tuple[float, float],
        step: float,
        note: str = "",
        *,
        id: str,
    ) -> None:
        super().__init__(id=id)
        self._label, self._note = label, note
        self._low, self._high = limits
        self._step = step
        self._held = False
        self.set_reactive(Dial.value, self.validate_value(value))

    def validate_value(self, value: float) -> float:
        """Keep within the limits; a value that was set elsewhere can be between steps."""
        return round(max(self._low, min(value, self._high)), 3)

    def watch_value(self) -> None:
        """Report the change."""
        self.post_message(self.Turned(self))

    def action_turn(self, by: int) -> None:
        """Adjust by some steps."""
        self.value += by * self._step

    def on_mouse_scroll_up(self) -> None:
        """Adjust by the wheel."""
        self.action_turn(1)

    def on_mouse_scroll_down(self) -> None:
        """Adjust by the wheel."""
        self.action_turn(-1)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Start dragging."""
        self._held = True
        self.capture_mouse()
        self._put(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag."""
        if self._held:
            self._put(event.x)

    def on_mouse_up(self) -> None:
        """Stop dragging."""
        self._held = False
        self.release_mouse()

    def _put(self, x: int) -> None:
        """Set the value under the pointer, at the nearest step."""
        share = (x - _LABEL) / max(1, self._cells - 1)
        steps = round(share * (self._high - self._low) / self._step)
        self.value = self._low + steps * self._step

    @property
    def _cells(self) -> int:
        """Length of the slider in columns."""
        return max(1, min(_LONGEST, self.size.width - _LABEL - _VALUE - 1))

    def render_line(self, y: int) -> Strip:
        """Label, slider, value, and a note where there is room."""
        width, cells = self.size.width, self._cells
        if y:
            return Strip.blank(width, self.rich_style)
        at = round((self.value - self._low) / (self._high - self._low) * (cells - 1))
        knob = self.get_component_rich_style("dial--focused" if self.has_focus else "dial--done")
        segments = [
            Segment(fit(self._label, _LABEL), self.get_component_rich_style("dial--label")),
            Segment("━" * at, self.get_component_rich_style("dial--done")),
            Segment("●", knob),
            Segment("─" * (cells - 1 - at), self.get_component_rich_style("dial--rest")),
            Segment(f" {self.value:<{_VALUE}g}", self.get_component_rich_style("dial--value")),
        ]
        room = width - _LABEL - cells - _VALUE - 1
        note = Segment(fit(self._note, room), self.get_component_rich_style("dial--rest"))
        return Strip([*segments, note]).adjust_cell_length(width, self.rich_style)
