"""The map widget: a dot per track, numbered results, the draws, and the path of the trail."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from gdr_model.types import Array, Track
from gdr_tui.app.map import plot
from gdr_tui.app.map.plot import Cells, View
from gdr_tui.app.map.points import COLOURS, Course, Grouping, Mapped
from gdr_tui.safe_text import fit, literal

SHAPES = "●■▲◆○□△◇"
"""Symbols of the groups where colours cannot distinguish them."""
DRAW, STEP, HERE, RESULT, CURSOR = "✦○◉▪┼"
SPARSE, DOT = 4, "•"
"""With fewer than one visible track per so many cells, each track is a larger dot."""
NUMBERED = 20
"""Number of results shown; those after the ninth have no number."""
ZOOM = 1.5
REACH = 8.0
"""Distance in columns within which the cursor picks a track."""
_RESULT, _DRAW, _PATH, _HERE, _CURSOR = range(COLOURS, COLOURS + 5)
_PICKED = 100
"""Added to the kind of the cell that holds the picked track."""
STYLES = {_RESULT: "result", _DRAW: "draw", _PATH: "path", _HERE: "here", _CURSOR: "cursor"}


class MapPlot(Widget, can_focus=True):
    """A plane with a cursor; the track nearest to the cursor is picked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"map--{group}" for group in range(COLOURS)),
        *(f"map--{name}" for name in STYLES.values()),
        "map--empty",
    }

    class Picked(Message):
        """Another track is picked, or none."""

    class Chosen(Message):
        """A track was double-clicked."""

    def __init__(self, *, id: str, shapes: bool = False) -> None:
        super().__init__(id=id)
        self.empty = "computing the map …"
        self.mapped: Mapped | None = None
        self.by = ""
        self.shapes = shapes
        """Show the symbol of a group instead of dots in its colour."""
        self.picked: int | None = None
        """Row of the picked track."""
        self._results: tuple[Path, ...] = ()
        self._course: Course | None = None
        self._view = View(1, 1)
        self._cursor = (0.0, 0.0)
        self._cells: Cells = np.empty((0, 2), np.int64)
        self._lines: list[Strip] = []
        self._held: tuple[int, int] | None = None
        self._dragged = False

    # What is shown

    @property
    def track(self) -> Track | None:
        """The picked track."""
        return self.mapped.tracks[self.picked] if self.mapped and self.picked is not None else None

    @property
    def grouping(self) -> Grouping | None:
        """The grouping that the colours show."""
        return self.mapped.groupings.get(self.by) if self.mapped else None

    def show(self, mapped: Mapped) -> None:
        """Show a map; the picked track stays picked."""
        track = self.track
        self.mapped = mapped
        self.by = self.by or mapped.telling
        self.picked = mapped.at.get(track.path) if track else None
        if self.picked is not None:
            self._move_to(self.picked)
        self._look()

    def show_query(self, results: tuple[Path, ...], course: Course | None) -> None:
        """Number the results; show the draws and the path to them."""
        self._results, self._course = results[:NUMBERED], course
        self.repaint()

    def repaint(self) -> None:
        """Render again after a change."""
        self._lines = []
        self.refresh()

    # Moving about

    def move(self, columns: int, rows: int) -> None:
        """Move the cursor by some cells; at the edges the plane scrolls."""
        view = self._view
        (column, row), *_ = view.cells(np.array([self._cursor])).tolist()
        column, row = column + columns, row + rows
        over = [min(0, column) + max(0, column - view.columns + 1),
                min(0, row) + max(0, row - view.rows + 1)]  # fmt: skip
        self._view = view.moved(*over) if any(over) else view
        column, row = min(max(0, column), view.columns - 1), min(max(0, row), view.rows - 1)
        self._cursor = self._view.point(column, row)
        self._look()
        self._pick(column, row)

    def pan(self, columns: float, rows: float) -> None:
        """Scroll the plane under the cursor."""
        self._view = self._view.moved(columns, rows)
        self._keep_cursor()
        self._look()

    def zoom(self, steps: int, at: tuple[float, float] | None = None) -> None:
        """Zoom around the cursor, or around a point."""
        x, y = at or self._cursor
        self._view = self._view.zoomed(ZOOM**steps, x, y)
        self._keep_cursor()
        self._look()

    def whole(self) -> None:
        """Show the whole plane."""
        self._view = View(self._view.columns, self._view.rows)
        self._look()

    def step(self, by: int) -> None:
        """Go to the next or previous result."""
        rows = self._result_rows()
        if rows:
            here = rows.index(self.picked) if self.picked in rows else -1 if by > 0 else 0
            self.go_to(rows[(here + by) % len(rows)])

    def go_to_result(self, rank: int) -> None:
        """Go to a result by its rank, from 1."""
        if self.mapped and rank <= len(self._results):
            row = self.mapped.at.get(self._results[rank - 1])
            if row is not None:
                self.go_to(row)

    def go_to(self, row: int) -> None:
        """Pick a track and scroll it into sight."""
        self.picked = row
        self._move_to(row)
        self._look()
        self.post_message(self.Picked())

    def _move_to(self, row: int) -> None:
        """Move the cursor to a track and scroll it into sight."""
        if self.mapped is None:
            return
        x, y = self.mapped.xy[row].tolist()
        self._cursor = (x, y)
        if not plot.inside(self._view.cells(np.array([[x, y]])), *self._extent()).all():
            self._view = replace(self._view, x=x, y=y).bounded()

    def _keep_cursor(self) -> None:
        """Keep the cursor in sight and its track picked."""
        cell = self._view.cells(np.array([self._cursor]))
        columns, rows = self._extent()
        if not plot.inside(cell, columns, rows).all():
            column, row = np.clip(cell[0], 0, [columns - 1, rows - 1]).tolist()
            self._cursor = self._view.point(column, row)
            self._look()
            self._pick(column, row)

    def _pick(self, column: int, row: int) -> None:
        before = self.picked
        self.picked = plot.nearest(self._cells, column, row, REACH)
        # Of several tracks in one cell, prefer a result, then the one picked before.
        if self.picked is not None:
            same = (self._cells == self._cells[self.picked]).all(axis=1)
            preferred = [*self._result_rows(), *([before] if before is not None else [])]
            self.picked = next((other for other in preferred if same[other]), self.picked)
        self.repaint()
        if self.picked != before:
            self.post_message(self.Picked())

    def _result_rows(self) -> list[int]:
        at = self.mapped.at if self.mapped else {}
        return [at[path] for path in self._results if path in at]

    def _extent(self) -> tuple[int, int]:
        return self._view.columns, self._view.rows

    def _look(self) -> None:
        """Recompute the cell of every track."""
        xy = self.mapped.xy if self.mapped else np.empty((0, 2), np.float32)
        self._cells = self._view.cells(xy)
        self.repaint()

    # Mouse

    def on_resize(self) -> None:
        """Fill the available space."""
        columns, rows = max(1, self.content_size.width), max(1, self.content_size.height)
        self._view = replace(self._view, columns=columns, rows=rows)
        self._look()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Start dragging."""
        self._held, self._dragged = (event.screen_x, event.screen_y), False
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the plane."""
        if self._held is None:
            return
        by = self._held[0] - event.screen_x, self._held[1] - event.screen_y
        if any(by):
            self._held, self._dragged = (event.screen_x, event.screen_y), True
            self.pan(*by)

    def on_mouse_up(self) -> None:
        """Stop dragging."""
        self._held = None
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Pick the nearest track; a double click goes to it."""
        if self._dragged:
            return
        offset = event.get_content_offset_capture(self)
        column, row = offset.x, offset.y
        self._cursor = self._view.point(column, row)
        self._pick(column, row)
        if event.chain == 2 and self.track:
            self.post_message(self.Chosen())

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in around the pointer."""
        self._scroll(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out."""
        self._scroll(event, -1)

    def _scroll(self, event: events.MouseEvent, steps: int) -> None:
        offset = event.get_content_offset_capture(self)
        self.zoom(steps, self._view.point(offset.x, offset.y))
        event.stop()

    # Rendering

    def render_line(self, y: int) -> Strip:
        """Render one line."""
        if self.mapped is None or not len(self.mapped.tracks):
            return self._empty_line(y)
        if not self._lines:
            self._lines = self._rendered()
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width)

    def _empty_line(self, y: int) -> Strip:
        columns, rows = self._extent()
        text = self.empty if y == rows // 2 else ""
        style = self.get_component_rich_style("map--empty")
        shown = fit(literal(text), min(cell_len(literal(text)), columns))
        return Strip([Segment(shown.center(columns), style)]).adjust_cell_length(columns, style)

    def _rendered(self) -> list[Strip]:
        """Render every line."""
        columns, rows = self._extent()
        signs, kinds = self._track_cells()
        self._add_query(signs, kinds)
        column, row = self._view.cells(np.array([self._cursor]))[0].tolist()
        if 0 <= column < columns and 0 <= row < rows:
            if kinds[row, column] < 0:
                signs[row, column] = ord(CURSOR)
            if self.picked is None or kinds[row, column] < 0:
                kinds[row, column] = _CURSOR
        if self.picked is not None:
            column, row = self._cells[self.picked].tolist()
            if 0 <= column < columns and 0 <= row < rows:
                kinds[row, column] = max(0, kinds[row, column]) + _PICKED
        return [self._strip(signs[line], kinds[line]) for line in range(rows)]

    def _track_cells(self) -> tuple[Cells, Cells]:
        """Character and kind of each cell (rows, columns); the kind is -1 in empty cells."""
        columns, rows = self._extent()
        mapped, grouping = self.mapped, self.grouping
        of = grouping.of if grouping else np.zeros(len(self._cells), np.int64)
        kinds = plot.majority(self._cells, of, COLOURS, columns, rows)
        if self.shapes:
            signs = np.array([ord(sign) for sign in SHAPES])[kinds]
        elif SPARSE * plot.inside(self._cells, columns, rows).sum() < columns * rows:
            signs = np.full((rows, columns), ord(DOT))
        else:
            dots = self._view.dots(mapped.xy if mapped else np.empty((0, 2), np.float32))
            signs = 0x2800 + plot.braille(dots, columns, rows)
        signs[kinds < 0] = ord(" ")
        return signs, kinds

    def _add_query(self, signs: Cells, kinds: Cells) -> None:
        """Add the path, the draws and the results."""
        columns, rows = self._extent()
        mapped, course = self.mapped, self._course

        def put(xy: Array, sign: str, kind: int, beside: tuple[int, ...] = ()) -> None:
            """Set a symbol, in a neighbouring cell if this one holds something of some kinds."""
            for column, row in self._view.cells(xy).tolist():
                free = next((c for c in (column, column + 1, column - 1)
                             if 0 <= c < columns and 0 <= row < rows
                             and kinds[row, c] not in beside), None)  # fmt: skip
                if free is not None:
                    signs[row, free], kinds[row, free] = ord(sign), kind

        if course and len(course.path):
            steps = self._view.dots(course.path)
            lines = [plot.line(a, b) for a, b in pairwise(steps)] or [steps]
            bits = plot.braille(np.concatenate(lines), columns, rows)
            on = bits > 0
            dots = (signs >= 0x2800) & (signs <= 0x28FF)
            signs[on] = np.where(dots[on], signs[on], 0x2800) | bits[on]
            kinds[on] = _PATH
            put(course.path[:-1], STEP, _PATH)
        at = mapped.at if mapped else {}
        for rank, path in reversed(list(enumerate(self._results, 1))):
            if mapped and path in at:
                put(mapped.xy[at[path]][None], str(rank) if rank < 10 else RESULT, _RESULT)
        if course:
            put(course.path[-1:], HERE, _HERE, (_RESULT,))
            put(course.draws, DRAW, _DRAW, (_RESULT, _HERE))

    def _strip(self, signs: Cells, kinds: Cells) -> Strip:
        """One line of cells; runs of one kind share a segment."""
        cuts = [0, *(np.flatnonzero(np.diff(kinds)) + 1).tolist(), len(kinds)]
        segments = []
        for start, end in pairwise(cuts):
            text = "".join(map(chr, signs[start:end].tolist()))
            segments.append(Segment(text, self._style(int(kinds[start]))))
        return Strip(segments, len(kinds))

    def _style(self, kind: int) -> Style:
        if kind < 0:
            return self.rich_style
        group = kind % _PICKED
        style = self.get_component_rich_style(f"map--{STYLES.get(group, group)}")
        return style + Style(reverse=True, bold=True) if kind >= _PICKED else style
