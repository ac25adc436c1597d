"""Files of raw rows: appended to, and read by position.

The database keeps the positions, so it decides where a file ends: bytes beyond that are left from
a write that crashed before it was recorded, and the next `write` overwrites them. Nothing is
mapped: what was read once would count as memory of the program for as long as it runs.
"""

from __future__ import annotations

import os
from io import FileIO
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
        self._row_bytes = dim * self._dtype.itemsize

    def __len__(self) -> int:
        """How many complete rows the file holds now."""
        try:
            return self.path.stat().st_size // self._row_bytes
        except FileNotFoundError:
            return 0

    def write(self, start: int, rows: NDArray[Any], *, sync: bool = True) -> None:
        """Write rows (N, dim) from a position on; without `sync` they are on disk after `sync`."""
        new = not self.path.exists()
        with self.path.open("wb" if new else "r+b") as file:
            file.seek(start * self._row_bytes)
            file.write(np.ascontiguousarray(rows, self._dtype).data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        if new:
            sync_folder(self.path.parent)

    def sync(self) -> None:
        """Wait until everything that was written is on disk."""
        with self.path.open("r+b") as file:
            os.fsync(file.fileno())

    def read(self, positions: NDArray[np.int64] | slice) -> Array:
        """A copy of the rows (N, dim) at some positions, as float32.

        Raises:
            IndexError: if the file ends before one of them.
        """
        if not isinstance(positions, slice) and not len(positions):
            return np.empty((0, self._dim), np.float32)
        if isinstance(positions, slice):
            runs = [(positions.start, positions.stop)]
            found = np.empty((max(0, positions.stop - positions.start), self._dim), np.float32)
            into: list[Any] = [slice(None)]
        else:
            found = np.empty((len(positions), self._dim), np.float32)
            order = np.argsort(positions, kind="stable")
            ordered = positions[order]
            # Rows that follow one another in the file are read at once.
            ends = np.append(np.flatnonzero(np.diff(ordered) != 1) + 1, len(ordered))
            firsts = np.append(0, ends[:-1])
            lasts = ordered[ends - 1].tolist()
            runs = [(a, b + 1) for a, b in zip(ordered[firsts].tolist(), lasts, strict=True)]
            into = [order[a:b] for a, b in zip(firsts.tolist(), ends.tolist(), strict=True)]
        if not len(found):
            return found
        try:
            with FileIO(self.path) as file:
                for (start, stop), rows in zip(runs, into, strict=True):
                    found[rows] = self._run(file, start, stop)
        except FileNotFoundError:
            raise IndexError(f"{int(runs[-1][1])} rows needed, 0 present") from None
        return found

    def _run(self, file: FileIO, start: int, stop: int) -> NDArray[Any]:
        """The rows from one position to another."""
        file.seek(start * self._row_bytes)
        needed, content = (stop - start) * self._row_bytes, b""
        while len(content) < needed:
            more = file.read(needed - len(content))
            if not more:
                raise IndexError(f"{stop} rows needed, {len(self)} present")
            content += more
        return np.frombuffer(content, self._dtype).reshape(-1, self._dim)
