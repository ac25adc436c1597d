"""The status line: how queries are drawn on the left, the library on the right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from gdr_model.steering import Steering
from gdr_tui.app.library.state import LibraryState
from gdr_tui.app.values import Loaded
from gdr_tui.labels import spread_name
from gdr_tui.safe_text import clock, counted, fit, literal


@dataclass
class State:
    """Everything the status line shows."""

    model_name: str = ""
    """As the user called it."""
    loaded: Loaded | None = None
    ready: bool = False
    """The text side of the model is loaded too."""
    made: str = ""
    """How the list is made: closest, or by which roll."""
    guidance: float = 0.0
    steps: int = 0
    seed: int = 0
    asking: bool = False
    waiting: bool = False
    took_s: float | None = None
    library: LibraryState = field(default_factory=LibraryState)
    sound: str = ""
    listening: str = ""
    """How results are played, where that is not the default."""
    crate: str = ""
    """The crate that marks go to, with its number of tracks."""


def made(steering: Steering) -> str:
    """How a list is made."""
    if steering.spread:
        return f"{spread_name(steering.spread)}, roll {steering.roll}"
    return f"{spread_name(0)}, {counted(steering.draws, 'draw')}"


def left_parts(state: State) -> list[str]:
    """Model and query; if space is short, the last parts are dropped first."""
    if state.loaded:
        model = f"{literal(state.loaded.model)} on {state.loaded.device}"
        first = [model if state.ready else f"{model}: loading the text model …"]
    elif state.library.model_failed:
        first = [f"{literal(state.model_name)}: not loaded"]
    else:
        first = [f"loading {literal(state.model_name)} …"]
    if state.waiting:
        first.append("the query waits for it")
    elif state.asking:
        first.append("drawing …")
    elif state.took_s is not None:
        first.append(f"{state.took_s:.2f} s")
    drawn = (state.made, f"g {state.guidance:g}", f"seed {state.seed}", f"{state.steps} steps")
    return [*first, *filter(None, drawn)]


def right_parts(state: State) -> list[str]:
    """Library and index; if space is short, the first parts are dropped first."""
    parts = [part for part in (state.listening, state.sound) if part]
    library = state.library
    catalogue, now = library.catalogue, library.indexing
    if library.failed:
        parts.append(f"{library.failed:,} failed")
    if state.crate:
        parts.append(f"┃ {state.crate}")
    if catalogue is None:
        parts.append("reading the library …")
    elif not catalogue.roots:
        parts.append("no library")
    elif now is None:
        parts.append(counted(catalogue.count, "track"))
        if library.graphs[0] < library.graphs[1]:
            parts.append(f"preparing faster search {library.graphs[0] / library.graphs[1]:.0%}")
        if library.indexed:
            parts.append("not indexed" if library.indexed.problems else "indexed")
    elif library.paused:
        parts.append(f"paused {now.done:,}/{now.total:,}")
    else:
        parts.append(f"{now.per_s:.1f}/s")
        if now.left_s is not None:
            parts.append(f"{clock(now.left_s)} left")
        parts.append(f"indexing {now.done:,}/{now.total:,}")
    return [*parts, "? help"]


class StatusLine(Widget):
    """One line; what does not fit is dropped, least important first."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"status--busy", "status--text"}
    SEPARATOR = " · "

    def __init__(self, model_name: str, *, id: str) -> None:
        super().__init__(id=id)
        self.state = State(model_name)

    def render_line(self, y: int) -> Strip:
        """Render both halves, shortened until they fit."""
        width = self.size.width
        left, right = left_parts(self.state), right_parts(self.state)
        while self._cells(left) + self._cells(right) + 4 > width and len(left) + len(right) > 2:
            if len(left) > 2 or len(right) == 1:
                left.pop()
            else:
                right.pop(0)
        busy = self.state.asking or self.state.waiting or not self.state.ready
        begin = " " + self.SEPARATOR.join(left)
        end = self.SEPARATOR.join(right) + " "
        middle = fit("", width - cell_len(begin) - cell_len(end))
        quiet = self.get_component_rich_style("status--text")
        lively = self.get_component_rich_style("status--busy")
        segments = [
            Segment(begin, lively if busy else quiet),
            Segment(middle, quiet),
            Segment(end, lively if self.state.library.indexing else quiet),
        ]
        return Strip(segments).adjust_cell_length(width, quiet)

    def _cells(self, parts: list[str]) -> int:
        return cell_len(self.SEPARATOR.join(parts))
