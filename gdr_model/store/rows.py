"""Files of raw rows: written at the end, read by position through a memory map.

Whoever keeps the positions (the database) decides where the end is: bytes beyond it are what a
crash left of a write nobody recorded, and the next `write` goes over them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gdr_model.atomic import sync_folder
from gdr_model.types import Array


class RowFile:
    """Rows of one width and type in one file, which need not exist yet."""

    def __init__(self, path: Path, dim: int, dtype: DTypeLike) -> None:
        """Open nothing yet."""
        self.path = path
        self._dim = dim
        self._dtype = np.dtype(dtype).newbyteorder("<")  # a store can move between machines
        self._map: NDArray[Any] = np.empty((0, dim), self._dtype)

    def __len__(self) -> int:
        """How many whole rows the file holds now; half a row at its end does not count."""
        try:
            return self.path.stat().st_size // (self._dim * self._dtype.itemsize)
        except FileNotFoundError:
            return 0

    def write(self, at: int, rows: NDArray[Any]) -> None:
        """Put rows (N, dim) at a position, on the disk before this returns."""
        new = not self.path.exists()
        with self.path.open("wb" if new else "r+b") as file:
            file.seek(at * self._dim * self._dtype.itemsize)
            file.write(np.ascontiguousarray(rows, self._dtype).data)
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_folder(self.path.parent)

    def read(self, at: NDArray[np.int64] | slice) -> Array:
        """A copy of the rows (N, dim) at these positions, as float32.

        Raises:
            IndexError: if the file ends before one of them.
        """
        needed = at.stop if isinstance(at, slice) else int(at.max(initial=-1)) + 1
        if needed > len(self._map):
            rows = len(self)
            if needed > rows:
                raise IndexError(f"{needed} rows needed, {rows} there")
            self._map = np.memmap(self.path, self._dtype, "r", shape=(rows, self._dim))
        return np.array(self._map[at], dtype=np.float32)

    def close(self) -> None:
        """Let go of the file."""
        self._map = np.empty((0, self._dim), self._dtype)
