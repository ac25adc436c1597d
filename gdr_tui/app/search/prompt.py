"""The prompt line, and the list of what it may go on with."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.highlighter import Highlighter
from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from gdr_tui.app.messages import FeatureMessage
from gdr_tui.app.search.completion import Completion
from gdr_tui.app.search.syntax import parts
from gdr_tui.app.ui.box import Box
from gdr_tui.safe_text import fit, literal

_COLOURS = {"negative": "red", "ban": "red", "slider": "green", "like": "green", "filter": "blue"}
_WIDEST = 76


class Signs(Highlighter):
    """Colours what steers besides the words while it is typed."""

    def highlight(self, text: Text) -> None:
        """Style the parts that are no words."""
        for part in parts(text.plain):
            if part.kind in _COLOURS:
                text.stylize(_COLOURS[part.kind], part.begin, part.end)


class PromptBox(Box):
    """Up and down walk through what is offered, Tab takes it, Enter asks what is there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "walk(-1)", show=False),
        Binding("down", "walk(1)", show=False),
        Binding("tab", "complete", show=False),
    ]

    class Walked(FeatureMessage):
        """The user wants another of what is offered."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Completed(FeatureMessage):
        """The user takes what is offered, as in a shell."""

    def action_walk(self, by: int) -> None:
        """Go on in what is offered."""
        self.post_message(self.Walked(by))

    def action_complete(self) -> None:
        """Take what is offered; where nothing is, Tab leads on."""
        self.post_message(self.Completed())

    def put(self, line: str) -> None:
        """Put in a line that is not searched for completions, the cursor behind it."""
        with self.prevent(self.Changed):
            self.value = line
        self.cursor_position = len(line)

    def go_on(self) -> None:
        """Take the focus without selecting what is there, this once."""
        self.select_on_focus = False
        self.focus()

    def on_blur(self) -> None:
        """From now on, whoever comes here to type starts anew."""
        self.select_on_focus = True


class Completions(Widget):
    """What is offered, under the prompt and over what stands there."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"completions--chosen", "completions--note"}

    class Picked(FeatureMessage):
        """A line was clicked."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.typed = ""
        """What the user had typed before walking."""
        self._offered: list[Completion] = []
        self._at = -1
        self.display = False

    @property
    def open(self) -> bool:
        """Whether anything is offered."""
        return bool(self.display)

    @property
    def walking(self) -> bool:
        """Whether a line of the list is chosen."""
        return self._at >= 0

    def offer(self, typed: str, offered: list[Completion]) -> None:
        """Show what `typed` may go on with; nothing closes the list."""
        self.typed, self._offered, self._at = typed, offered, -1
        self.display = bool(offered)
        self.refresh(layout=True)

    def close(self) -> None:
        """Take the list away."""
        self.offer(self.typed, [])

    def walk(self, by: int) -> str:
        """Choose the next line, or what was typed between the last and the first."""
        places = len(self._offered) + 1
        self._at = (self._at + 1 + by) % places - 1
        self.refresh()
        return self.typed if self._at < 0 else self._offered[self._at].line

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as the widest line and its note."""
        widest = max((cell_len(c.line) + cell_len(c.note) + 5 for c in self._offered), default=0)
        return min(widest, _WIDEST, container.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """A row for each."""
        return len(self._offered)

    def on_click(self, event: events.Click) -> None:
        """Pick a line."""
        row = event.get_content_offset_capture(self).y
        if 0 <= row < len(self._offered):
            self.post_message(self.Picked(self._offered[row].line))

    def render_line(self, y: int) -> Strip:
        """One completion and where it comes from."""
        width, plain = self.size.width, self.rich_style
        if y >= len(self._offered):
            return Strip.blank(width, plain)
        one = self._offered[y]
        style = self.get_component_rich_style("completions--chosen") if y == self._at else plain
        note = f" {literal(one.note)} "
        text = f" {fit(literal(one.line), width - 2 - cell_len(note))} "
        faint = style + self.get_component_rich_style("completions--note", partial=True)
        return Strip([Segment(text, style), Segment(note, faint)]).adjust_cell_length(width, style)
