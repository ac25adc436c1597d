"""Files of raw rows: appended to, and read by position through a memory map.

The database keeps the positions, so it decides where a file ends: bytes beyond that are left from
a write that crashed before it was recorded, and the next `write` overwrites them.
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
    """A file of rows of one width and type; it need not exist yet."""

    def __init__(self, path: Path, dim: int, dtype: DTypeLike) -> None:
        """Set the layout; the file is opened when it is used."""
        self.path = path
        self._dim = dim
        self._dtype = np.dtype(dtype).newbyteorder("<")  # a store can move between machines
        self._map: NDArray[Any] = np.empty((0, dim), self._dtype)

    def __len__(self) -> int:
        """How many complete rows the file holds now."""
        try:
            return self.path.stat().st_size // (self._dim * self._dtype.itemsize)
        except FileNotFoundError:
            return 0

    def write(self, start: int, rows: NDArray[Any]) -> None:
        """Write rows (N, dim) from a position on; they are on disk when this returns."""
        new = not self.path.exists()
        with self.path.open("wb" if new else "r+b") as file:
            file.seek(start * self._dim * self._dtype.itemsize)
            file.write(np.ascontiguousarray(rows, self._dtype).data)
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_folder(self.path.parent)

    def read(self, positions: NDArray[np.int64] | slice) -> Array:
        """A copy of the rows (N, dim) at some positions, as float32.

        Raises:
            IndexError: if the file ends before one of them.
        """
        last = positions.stop if isinstance(positions, slice) else positions.max(initial=-1) + 1
        needed = int(last)
        if needed > len(self._map):
            rows = len(self)
            if needed > rows:
                raise IndexError(f"{needed} rows needed, {rows} present")
            self._map = np.memmap(self.path, self._dtype, "r", shape=(rows, self._dim))
        return np.array(self._map[positions], dtype=np.float32)

    def close(self) -> None:
        """Close the file."""
        self._map = np.empty((0, self._dim), self._dtype)
