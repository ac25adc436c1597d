"""The map screen, with a legend and the track under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gdr_model.types import Track
from gdr_tui.app import keys
from gdr_tui.app.map.points import Mapped
from gdr_tui.app.map.state import QueryOnMap
from gdr_tui.app.map.widget import DRAW, HERE, SHAPES, MapPlot
from gdr_tui.app.ui.hints import Hints, clickable
from gdr_tui.safe_text import clock, counted, fit, literal

HINTS: Hints = (
    ("hjkl move", ""),
    ("+", "zoom(1)"),
    ("- zoom", "zoom(-1)"),
    ("n next", "result(1)"),
    ("c colour", "colours"),
    ("Space play", "play"),
    ("Enter go", "go"),
    ("Esc leave", "leave"),
)


class MapScreen(ModalScreen[Track | None]):
    """Closes with the track to go to, if any."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.MAP)

    def __init__(
        self,
        play: Callable[[Track], object],
        mark: Callable[[Track], object],
        begin: Callable[[MapScreen], object],
        at: Path | None,
    ) -> None:
        """Wait for the map.

        Args:
            play: play a track, or pause.
            mark: add a track to the crate, or remove it.
            begin: called once the screen can show what is computed.
            at: the track to start on.
        """
        super().__init__()
        self._play = play
        self._mark = mark
        self._begin = begin
        self._at = at
        self._prompt = ""
        self._title = "map"

    def compose(self) -> ComposeResult:
        """The map, its legend, the track under the cursor, the keys."""
        yield MapPlot(id="map", shapes=self.app.no_color)
        yield Static(id="map-legend", markup=False)
        yield Static(id="map-track", markup=False)
        yield Static(clickable(HINTS), id="map-hint")

    @property
    def plot(self) -> MapPlot:
        """The map itself."""
        return self.query_one(MapPlot)

    def on_mount(self) -> None:
        """Focus the map."""
        self.plot.border_title = self._title
        self.plot.focus()
        self._begin(self)

    # What is shown

    def show(self, mapped: Mapped) -> None:
        """Show the map, or a better projection of it."""
        self.plot.empty = "the map is empty: no track is indexed yet"
        first = self.plot.mapped is None
        self.plot.show(mapped)
        count, fitted = len(mapped.tracks), mapped.fitted
        method = mapped.method + (f" of {fitted:,}" if fitted < count else "")
        self._title = f"map · {counted(count, 'track')} · {method}"
        self._say_beside(mapped.could_be_better)
        if first and self._at in mapped.at:
            self.plot.go_to(mapped.at[self._at])
        self._show_legend()
        self._show_track()

    def show_share(self, share: float) -> None:
        """Show the progress of a better projection."""
        self._say_beside(f"grouping similar tracks … {share:.0%}")

    def show_query(self, query: QueryOnMap) -> None:
        """Show the current query."""
        self._prompt = query.prompt
        self.plot.show_query(query.results, query.course)
        self._show_legend()

    def _say_beside(self, more: str) -> None:
        # Content, because the name of an extra is not markup.
        self.plot.border_title = Content(f"{self._title} · {more}" if more else self._title)

    def refuse(self, sentence: str) -> None:
        """Show why there is no map."""
        self.plot.empty = sentence
        self.plot.repaint()

    def _show_legend(self) -> None:
        parts: list[Text] = []
        if self._prompt:
            short = fit(literal(self._prompt), 30).rstrip()
            parts = [
                Text.assemble((sign, self._style(style)), f" {meaning} ")
                for sign, style, meaning in (
                    ("1-9", "map--result", "results"),
                    (DRAW, "map--draw", "draw"),
                    (HERE, "map--here", f"“{short}”"),
                )
            ]
        grouping = self.plot.grouping
        if grouping:
            by = Text.assemble((f"{self.plot.by}: ", Style(dim=True)))
            for group, (name, count) in enumerate(
                zip(grouping.names, grouping.counts, strict=True)
            ):
                sign = SHAPES[group if self.plot.shapes else 0]
                coloured = (sign, self._style(f"map--{group}"))
                part = Text.assemble(coloured, f" {literal(name)} {count:,}")
                parts.append(by + part if not group else part)
        self.query_one("#map-legend", Static).update(_in_lines(parts, self.size.width - 2))

    def on_resize(self) -> None:
        """Divide the legend into lines again."""
        self._show_legend()

    def _style(self, name: str) -> Style:
        return self.plot.get_component_rich_style(name)

    @on(MapPlot.Picked)
    def _show_track(self) -> None:
        track = self.plot.track
        parts: list[str] = []
        if track:
            folder = track.path.parent.name
            parts = [track.name, track.artist, track.genre, folder, clock(track.duration_s)]
        text = " · ".join(literal(part) for part in parts if part)
        self.query_one("#map-track", Static).update(Content(text or "no track near the cursor"))

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Go to the result of the rank typed."""
        if event.character and event.character in "123456789":
            event.stop()
            self.plot.go_to_result(int(event.character))

    def action_walk(self, columns: int, rows: int) -> None:
        """Move the cursor."""
        self.plot.move(columns, rows)

    def action_zoom(self, steps: int) -> None:
        """Zoom in or out."""
        self.plot.zoom(steps)

    def action_whole(self) -> None:
        """Show the whole library."""
        self.plot.whole()

    def action_result(self, by: int) -> None:
        """Go to the next or previous result."""
        self.plot.step(by)

    def action_colours(self) -> None:
        """Colour by the next grouping."""
        if self.plot.mapped:
            names = list(self.plot.mapped.groupings)
            at = names.index(self.plot.by) if self.plot.by in names else -1
            self.plot.by = names[(at + 1) % len(names)]
            self.plot.repaint()
            self._show_legend()

    def action_shapes(self) -> None:
        """Toggle between symbols and colours."""
        self.plot.shapes = not self.plot.shapes
        self.plot.repaint()
        self._show_legend()

    def action_play(self) -> None:
        """Play the track under the cursor."""
        if track := self.plot.track:
            self._play(track)

    def action_mark(self) -> None:
        """Add the track under the cursor to the crate, or remove it."""
        if track := self.plot.track:
            self._mark(track)

    @on(MapPlot.Chosen)
    def action_go(self) -> None:
        """Go back to the search, to this track."""
        if track := self.plot.track:
            self.dismiss(track)

    def action_leave(self) -> None:
        """Go back to the search as it was."""
        self.dismiss(None)


def _in_lines(parts: Iterable[Text], width: int) -> Text:
    """Parts side by side, none of them divided between two lines."""
    text, at = Text(no_wrap=True, overflow="ellipsis"), 0
    for part in parts:
        if at and at + part.cell_len > width:
            text.append("\n")
            at = 0
        text.append(part).append("  ")
        at += part.cell_len + 2
    return text
