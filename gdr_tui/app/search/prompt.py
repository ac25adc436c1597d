"""The prompt box, and the list of completions."""

from __future__ import annotations

import os
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
from gdr_tui.app.ui.box import Box
from gdr_tui.app.ui.pasted import dropped
from gdr_tui.language.syntax import parts, read_negations
from gdr_tui.safe_text import fit, literal

_COLOURS = {"negative": "red", "ban": "red", "slider": "green", "like": "green", "filter": "blue"}
_WIDEST = 76


class Signs(Highlighter):
    """Colours everything but the words as it is typed."""

    def highlight(self, text: Text) -> None:
        """Style the parts that are not words."""
        for part in parts(text.plain):
            if part.kind in _COLOURS:
                text.stylize(_COLOURS[part.kind], part.begin, part.end)
        for found in read_negations(text.plain):
            if found.negatives:
                text.stylize(_COLOURS["negative"], found.begin, found.end)


class PromptBox(Box):
    """Up and down go through the completions, Tab accepts one, Enter searches."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "walk(-1)", show=False),
        Binding("down", "walk(1)", show=False),
        Binding("tab", "complete", show=False),
    ]

    class Walked(FeatureMessage):
        """Up or down was pressed."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Completed(FeatureMessage):
        """Tab was pressed, to complete as in a shell."""

    class Dropped(FeatureMessage):
        """Files were dropped on the terminal."""

        def __init__(self, paths: tuple[str, ...]) -> None:
            super().__init__()
            self.paths = paths

    def paste(self, text: str) -> None:
        """Put pasted text in; files are not words, but music to be like."""
        paths = dropped(text)
        if paths and all(os.path.isfile(path) for path in paths):
            self.post_message(self.Dropped(tuple(paths)))
        else:
            super().paste(text)

    async def _on_key(self, event: events.Key) -> None:
        # The key that leads here is no first letter: it is often pressed once too often.
        if event.character == "/" and min(self.selection) == 0:
            event.stop()
            event.prevent_default()

    def action_walk(self, by: int) -> None:
        """Go to another completion."""
        self.post_message(self.Walked(by))

    def action_complete(self) -> None:
        """Accept a completion; if there is none, Tab moves the focus."""
        self.post_message(self.Completed())

    def put(self, line: str) -> None:
        """Set the line without offering completions; the cursor goes to its end."""
        with self.prevent(self.Changed):
            self.value = line
        self.cursor_position = len(line)

    def go_on(self) -> None:
        """Focus without selecting the text, this once."""
        self.select_on_focus = False
        self.screen.set_focus(self)  # `focus` would wait for a key behind this one

    def on_blur(self) -> None:
        """Select the text on focus again, so that typing replaces it."""
        self.select_on_focus = True


class Completions(Widget):
    """The list of completions, below the prompt and over the results."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"completions--chosen", "completions--note"}

    class Picked(FeatureMessage):
        """A completion was clicked."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.typed = ""
        """What the user had typed."""
        self._offered: list[Completion] = []
        self._at = -1
        self.display = False

    @property
    def open(self) -> bool:
        """Whether the list is open."""
        return bool(self.display)

    @property
    def walking(self) -> bool:
        """Whether a completion is chosen."""
        return self._at >= 0

    def offer(self, typed: str, offered: list[Completion]) -> None:
        """Show completions of `typed`; none close the list."""
        before, self.typed = (self._offered, self._at), typed
        self._offered, self._at = offered, -1
        self.display = bool(offered)
        if before != (offered, -1):  # the whole screen is laid out
            self.refresh(layout=True)

    def close(self) -> None:
        """Close the list."""
        self.offer(self.typed, [])

    def walk(self, by: int) -> str:
        """Choose the next completion; between the last and the first comes what was typed."""
        places = len(self._offered) + 1
        self._at = (self._at + 1 + by) % places - 1
        self.refresh()
        return self.typed if self._at < 0 else self._offered[self._at].line

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Width of the widest completion and its note."""
        widest = max((cell_len(c.line) + cell_len(c.note) + 5 for c in self._offered), default=0)
        return min(widest, _WIDEST, container.width)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One row per completion."""
        return len(self._offered)

    def on_click(self, event: events.Click) -> None:
        """Pick a completion."""
        row = event.get_content_offset_capture(self).y
        if 0 <= row < len(self._offered):
            self.post_message(self.Picked(self._offered[row].line))

    def render_line(self, y: int) -> Strip:
        """Render one completion and its note."""
        width, plain = self.size.width, self.rich_style
        if y >= len(self._offered):
            return Strip.blank(width, plain)
        one = self._offered[y]
        style = self.get_component_rich_style("completions--chosen") if y == self._at else plain
        note = f" {literal(one.note)} "
        text = f" {fit(literal(one.line), width - 2 - cell_len(note))} "
        faint = style + self.get_component_rich_style("completions--note", partial=True)
        return Strip([Segment(text, style), Segment(note, faint)]).adjust_cell_length(width, style)
