"""A scrolling list that renders only the visible lines; the base of every list."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Self

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gdr_tui.app.messages import FeatureMessage
from gdr_tui.safe_text import fit


class Listing(ScrollView, can_focus=True):
    """Lines with a cursor; a subclass provides the contents of a line."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "listing--cursor",
        "listing--cursor-blurred",
        "listing--dim",
        "listing--empty",
    }
    DEFAULT_CSS = """
    Listing { overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    cursor: reactive[int] = reactive(0)

    class Moved(FeatureMessage):
        """The cursor is on another line, or its line has other contents."""

        def __init__(self, listing: Listing) -> None:
            super().__init__()
            self.listing = listing

        @property
        def control(self) -> Listing:
            """The list, for `@on` selectors."""
            return self.listing

    class Chosen(Moved):
        """A line was double-clicked."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.empty: tuple[str, ...] = ()
        """Shown in the middle if there are no lines."""

    @property
    @abstractmethod
    def length(self) -> int:
        """Number of lines."""

    @abstractmethod
    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """Text and component class of the parts of a line; class "" is plain."""

    def focus(self, scroll_visible: bool = True) -> Self:
        """Take the focus before the next key is handled; Textual's own takes it some keys later."""
        self.screen.set_focus(self, scroll_visible)
        return self

    def filled(self, cursor: int) -> None:
        """Show new contents, with the cursor on some line."""
        self.virtual_size = Size(0, self.length)
        self.set_reactive(Listing.cursor, max(0, min(cursor, self.length - 1)))
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved(self))

    def move(self, by: int) -> None:
        """Move the cursor, not beyond the ends."""
        self.cursor += by

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a line."""
        return max(0, min(cursor, self.length - 1))

    def watch_cursor(self) -> None:
        """Show the cursor where it is now."""
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved(self))

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._show_cursor()

    def on_click(self, event: events.Click) -> None:
        """Move to the line; a double click chooses it."""
        row = self.scroll_offset.y + event.get_content_offset_capture(self).y
        if 0 <= row < self.length:
            self.cursor = row
            if event.chain == 2:
                self.post_message(self.Chosen(self))

    def render_line(self, y: int) -> Strip:
        """Render one visible line."""
        width = self.scrollable_content_region.width
        if not self.length:
            return self._empty_line(y, width)
        row = self.scroll_offset.y + y
        if row >= self.length:
            return Strip.blank(width, self.rich_style)
        base = self.rich_style
        if row == self.cursor:
            base = self.get_component_rich_style(
                "listing--cursor" if self.has_focus else "listing--cursor-blurred"
            )
        # With reversed colours every part would be a bar of its own; the cursor is one bar.
        segments = [
            Segment(text, base if base.reverse else base + self._style(name))
            for text, name in self.pieces(row, width)
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, name: str) -> Style:
        """A component's style without its background, to be laid over that of the line."""
        if not name:
            return Style.null()
        full = self.get_component_rich_style(name)
        return Style(color=full.color, bold=full.bold, dim=full.dim)

    def _empty_line(self, y: int, width: int) -> Strip:
        """Render a line of the message in the middle."""
        top = max(0, (self.size.height - len(self.empty)) // 2)
        text = self.empty[y - top] if 0 <= y - top < len(self.empty) else ""
        style = self.get_component_rich_style(
            "listing--empty" if y == top and len(self.empty) > 1 else "listing--dim"
        )
        shown = fit(text, min(len(text) * 2, width)).rstrip()
        return Strip([Segment(shown.center(width), style)]).adjust_cell_length(width, style)

    def _show_cursor(self) -> None:
        self.scroll_to_region(
            Region(0, self.cursor, 1, 1), animate=False, force=True, immediate=True
        )
