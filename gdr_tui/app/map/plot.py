"""Points of the plane as terminal cells: braille dots, or one symbol per cell.

Free of Textual. Coordinates run from -1 to 1, y upwards; a cell is two dots wide and four high.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gdr_model.types import Array

Cells = NDArray[np.int64]

_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bits of a braille cell by row from the top and column."""
CLOSEST = 64.0
"""Beyond this zoom a cell is narrower than any detail on a map of a hundred thousand tracks."""


@dataclass(frozen=True)
class View:
    """The visible part of the plane, and the number of cells that show it."""

    columns: int
    rows: int
    x: float = 0.0
    y: float = 0.0
    """The middle."""
    zoom: float = 1.0

    def cells(self, xy: Array) -> Cells:
        """Column and row (N, 2) of points (N, 2); those out of sight are outside the cells."""
        return np.asarray(self.dots(xy) // [2, 4], np.int64)

    def dots(self, xy: Array) -> Cells:
        """Column and row in dots (N, 2) of points (N, 2)."""
        wide, high = 2 * self.columns, 4 * self.rows
        across = ((xy[:, 0] - self.x) * self.zoom + 1) / 2 * wide
        down = (1 - (xy[:, 1] - self.y) * self.zoom) / 2 * high
        # A point exactly on the edge of the plane belongs to the last cell.
        at = np.stack([across, down], axis=1)
        edge = np.isclose(at, [wide, high], atol=1e-3)
        return np.floor(np.where(edge, at - 1, at)).astype(np.int64)

    def point(self, column: int, row: int) -> tuple[float, float]:
        """The point in the middle of a cell."""
        x = self.x + ((column + 0.5) / self.columns * 2 - 1) / self.zoom
        y = self.y + (1 - (row + 0.5) / self.rows * 2) / self.zoom
        return x, y

    def zoomed(self, factor: float, x: float, y: float) -> View:
        """Zoomed by a factor; the point (x, y) stays where it is."""
        zoom = min(max(1.0, self.zoom * factor), CLOSEST)
        share = self.zoom / zoom
        return replace(
            self, zoom=zoom, x=x + (self.x - x) * share, y=y + (self.y - y) * share
        ).bounded()

    def moved(self, columns: float, rows: float) -> View:
        """Moved by some cells to the right and down."""
        x = self.x + columns / self.columns * 2 / self.zoom
        y = self.y - rows / self.rows * 2 / self.zoom
        return replace(self, x=x, y=y).bounded()

    def bounded(self) -> View:
        """Moved back so as not to extend over the edge of the plane."""
        most = 1 - 1 / self.zoom
        return replace(self, x=min(max(self.x, -most), most), y=min(max(self.y, -most), most))


def inside(cells: Cells, columns: int, rows: int) -> NDArray[np.bool_]:
    """Which cells (N, 2) are in sight."""
    fits = (cells >= 0) & (cells < [columns, rows])
    return np.asarray(fits.all(axis=1), np.bool_)


def braille(dots: Cells, columns: int, rows: int) -> Cells:
    """Bits (rows, columns) of the braille cells that contain dots (N, 2)."""
    grid = np.zeros((4 * rows, 2 * columns), np.bool_)
    seen = dots[inside(dots, 2 * columns, 4 * rows)]
    grid[seen[:, 1], seen[:, 0]] = True
    blocks = grid.reshape(rows, 4, columns, 2)
    return np.asarray((blocks * _BITS[None, :, None, :]).sum(axis=(1, 3)), np.int64)


def majority(cells: Cells, of: Cells, groups: int, columns: int, rows: int) -> Cells:
    """The most frequent group (rows, columns) among the points of each cell; -1 in empty ones."""
    seen = inside(cells, columns, rows)
    at = (cells[seen, 1] * columns + cells[seen, 0]) * groups + of[seen]
    counts = np.bincount(at, minlength=rows * columns * groups).reshape(-1, groups)
    best = np.where(counts.any(axis=1), counts.argmax(axis=1), -1)
    return np.asarray(best.reshape(rows, columns), np.int64)


def line(start: Cells, end: Cells) -> Cells:
    """The dots (N, 2) of a straight line between two dots, both included."""
    steps = int(np.abs(end - start).max()) + 1
    return np.round(np.linspace(start, end, steps)).astype(np.int64)


def nearest(cells: Cells, column: int, row: int, reach: float) -> int | None:
    """Index of the cell (N, 2) nearest to a given one, a row counting as two columns."""
    if not len(cells):
        return None
    apart = np.hypot(cells[:, 0] - column, 2.0 * (cells[:, 1] - row))
    best = int(apart.argmin())
    return best if apart[best] <= reach else None
