"""Vectors of passages, which a large library keeps in 16 bits on disk.

A unit vector's numbers are stored as integers of 1 / 32767. That is half of what 32-bit floats
take, they are multiplied as fast, and unlike half-precision floats they are equally fine
everywhere. What is found with them is scored again with the exact vectors, which are read for a
few hundred passages at a time, and so many are proposed that no rounding can hide one.

Shapes: N passages, D width, Q queries, R rows that are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdr_model.types import Array

Rows = NDArray[np.int64]

STEP = 1 / 32767
_CHUNK = 2048
"""Rows that are multiplied at once: as floats they fit into the second-level cache."""
_EXACT_CHUNK = 8192


class Vectors:
    """Unit rows (N, D). They never change, so several threads can read them."""

    def __init__(
        self, blocks: Sequence[NDArray[Any]], dim: int, exact: Callable[[Rows, bool], Array]
    ) -> None:
        """Take rows that follow one another, as float32, or as int16 in units of `STEP`.

        Args:
            blocks: the rows (n, D), possibly mapped from a file.
            dim: their width.
            exact: reads the exact vectors of some rows, where the blocks are rounded; the second
                argument says whether checksums are compared.
        """
        self.blocks = [block for block in blocks if len(block)]
        self._read = exact
        self._starts = np.cumsum([0, *map(len, self.blocks)])
        self.is_rounded = any(block.dtype == np.int16 for block in self.blocks)
        self.shape = int(self._starts[-1]), dim
        self._latest: tuple[Rows, Array] | None = None
        """What was read last: a search scores what it has just chosen."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Array:
        """The exact vectors of a row (D,), or of several (R, D): numbers, a slice or a mask."""
        if isinstance(rows, slice) or np.asarray(rows).dtype == bool:
            rows = np.arange(len(self))[rows]
        wanted = np.atleast_1d(np.asarray(rows, np.int64))
        wanted = np.where(wanted < 0, wanted + len(self), wanted)
        if len(wanted) and not 0 <= wanted.min() <= wanted.max() < len(self):
            raise IndexError(f"{len(self)} passages have no row {rows}")
        found = self._exact(wanted) if self.is_rounded else self.approximate(wanted)
        return found if np.ndim(rows) else found[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All exact vectors (N, D); of a large library hundreds of megabytes."""
        return np.asarray(self[:], dtype)

    def __matmul__(self, columns: Array) -> Array:
        """The products (N, S) of all rows with columns (D, S) or one (D,), nearly exact."""
        flat = np.asarray(columns, np.float32).reshape(self.shape[1], -1)
        products = self.products(np.ascontiguousarray(flat.T)).T
        return products if columns.ndim > 1 else products[:, 0]

    def products(self, points: Array, rows: Rows | None = None) -> Array:
        """The products (Q, R) of points (Q, D) with some rows, or all; see `error`."""
        count = len(self) if rows is None else len(rows)
        products = np.empty((len(points), count), np.float32)
        scaled = {np.dtype(np.float32): points, np.dtype(np.int16): points * np.float32(STEP)}
        if not self.is_rounded and len(self.blocks) == 1 and rows is None:
            return np.matmul(points, self.blocks[0].T, out=products)
        floats = np.empty((_CHUNK, self.shape[1]), np.float32)
        for block, first, at in self._chunks(rows):
            part = block[first] if isinstance(first, np.ndarray) else block[slice(*first)]
            buffer = floats[: len(part)]
            np.copyto(buffer, part)
            products[:, at : at + len(part)] = scaled[block.dtype] @ buffer.T
        return products

    def cosines(self, points: Array, rows: Rows) -> Array:
        """The exact products (Q, R) of points (Q, D) with some rows."""
        if not self.is_rounded:
            return np.asarray(points @ self.approximate(rows).T)
        if len(rows) <= _EXACT_CHUNK:
            return np.asarray(points @ self._latest_exact(rows).T)
        parts = [
            points @ self._exact(rows[at : at + _EXACT_CHUNK]).T
            for at in range(0, len(rows), _EXACT_CHUNK)
        ]
        return np.concatenate(parts, axis=1)

    def _exact(self, rows: Rows) -> Array:
        """The exact vectors of some rows; damage shows in what they were rounded to."""
        with np.errstate(over="ignore", invalid="ignore"):  # damage can be any number
            found = self._read(rows, False)
            off = np.abs(found - self.approximate(rows)).max(axis=1, initial=0)
        wrong = ~(off <= STEP)
        if wrong.any():
            found[wrong] = self._read(rows[wrong], True)
        return found

    def _latest_exact(self, rows: Rows) -> Array:
        """The exact vectors of some rows, which are sorted."""
        if latest := self._latest:
            at = np.minimum(np.searchsorted(latest[0], rows), len(latest[0]) - 1)
            if np.array_equal(latest[0][at], rows):
                return latest[1][at]
        found = self._exact(rows)
        if len(rows):
            self._latest = rows, found
        return found

    def at_least(self, cosine: float, point: Array, rows: Rows) -> NDArray[np.bool_]:
        """Which of some rows (R,) have a cosine to a point (D,) of at least so much."""
        order = np.argsort(rows)
        nearly = np.empty(len(rows), np.float32)
        nearly[order] = self.products(point[None], rows[order])[0]
        error = float(self.error(point[None])[0])
        reach = nearly >= cosine + error
        doubtful = np.flatnonzero(~reach & (nearly >= cosine - error))
        if len(doubtful):
            reach[doubtful] = self.cosines(point[None], rows[doubtful])[0] >= cosine
        return reach

    def error(self, points: Array) -> Array:
        """By how much `products` can be wrong for each point (Q,)."""
        if not self.is_rounded:
            return np.zeros(len(points), np.float32)
        return np.asarray(np.abs(points).sum(axis=1) * STEP / 2 + 1e-5, np.float32)

    def stored(self, rows: Rows) -> NDArray[Any]:
        """Some rows as blocks hold them."""
        kind = np.int16 if self.is_rounded else np.float32
        found = np.empty((len(rows), self.shape[1]), kind)
        of_block = np.searchsorted(self._starts, rows, "right") - 1
        for number, block in enumerate(self.blocks):
            here = of_block == number
            taken = block[rows[here] - self._starts[number]]
            found[here] = rounded(taken) if kind is np.int16 and taken.dtype != kind else taken
        return found

    def whole(self) -> NDArray[Any]:
        """All rows as one block."""
        return self.blocks[0] if len(self.blocks) == 1 else self.stored(np.arange(len(self)))

    def approximate(self, rows: Rows) -> Array:
        """Some rows as floats, rounded if the blocks are."""
        found = np.empty((len(rows), self.shape[1]), np.float32)
        which = np.searchsorted(self._starts, rows, "right") - 1
        for number, block in enumerate(self.blocks):
            here = slice(None) if len(self.blocks) == 1 else which == number
            part = block[rows[here] - self._starts[number]].astype(np.float32)
            found[here] = part * np.float32(STEP) if block.dtype == np.int16 else part
        return found

    def _chunks(self, rows: Rows | None) -> Any:
        """Pieces of blocks: the block, which of its rows, and where their products belong."""
        for number, block in enumerate(self.blocks):
            begin, end = int(self._starts[number]), int(self._starts[number + 1])
            if rows is None:
                for at in range(begin, end, _CHUNK):
                    yield block, (at - begin, min(at + _CHUNK, end) - begin), at
                continue
            first, last = np.searchsorted(rows, [begin, end])
            for at in range(int(first), int(last), _CHUNK):
                yield block, rows[at : min(at + _CHUNK, int(last))] - begin, at


def rounded(vectors: Array) -> NDArray[np.int16]:
    """Unit rows (N, D) in units of `STEP`."""
    return np.asarray(np.rint(vectors * np.float32(1 / STEP)), np.int16)
