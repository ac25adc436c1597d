"""A sound that is too long to hold, decoded once more while it is read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gdr_model.audio import held
from gdr_model.audio.mixing import Reading, clean, mono, resampled
from gdr_model.audio.source import Source
from gdr_model.errors import DecodeError
from gdr_model.types import Array, Cancel, never


class LongSound:
    """Mono samples of a file that was decoded before, to be read from its beginning to its end.

    Each part is decoded when it is asked for, and what lies before it is let go. A part before the
    last one starts again from the beginning. It can be pickled, and is then no longer cancelled.
    """

    def __init__(
        self,
        path: Path,
        rate_hz: int,
        channel: int | None,
        size: int,
        energies: list[float],
        limit_s: float,
        cancelled: Cancel,
    ) -> None:
        """Take what the first pass found.

        Args:
            path: the file.
            rate_hz: of the samples.
            channel: to take alone; None for the mean of all.
            size: how many samples there are.
            energies: of each second.
            limit_s: seconds without sound after which reading stops.
            cancelled: polled while the file is read.
        """
        self._path = path
        self._rate_hz = rate_hz
        self._channel = channel
        self._size = size
        self._energies = energies
        self._limit_s = limit_s
        self._cancelled = cancelled
        self._begin_anew()

    def __len__(self) -> int:
        """How many samples there are."""
        return self._size

    def __getitem__(self, part: slice) -> Array:
        """Some samples (N,).

        Raises:
            DecodeError: if the file is no longer what it was.
            FileUnavailable: if the system could not read it.
            Cancelled: when asked.
        """
        first, last, _ = part.indices(self._size)
        if first < self._first:
            self._begin_anew()
        while self._last < last:
            block = next(self._blocks, None)
            if block is None:
                raise DecodeError("it changed while it was read")
            self._waiting.append(block)
            self._last += len(block)
            while self._first + len(self._waiting[0]) <= first:
                self._first += len(self._waiting.popleft())
                if not self._waiting:
                    break
        if last <= first or not self._waiting:
            return np.zeros(0, np.float32)
        return np.concatenate(self._waiting)[first - self._first : last - self._first]

    def energy(self, count: int) -> float:
        """The sum of squares of the first `count`: whole seconds, or all of them."""
        return held.energy(self._energies, self._rate_hz, count)

    def _begin_anew(self) -> None:
        self._blocks = self._decoded()
        self._waiting: deque[Array] = deque()
        self._first = self._last = 0

    def _decoded(self) -> Iterator[Array]:
        with Source(self._path, self._limit_s, self._cancelled) as source:
            mixed = (
                (mono(clean(block.samples), self._channel), block.rate_hz)
                for block in Reading(source)
            )
            yield from resampled(mixed, self._rate_hz, 1)

    def __getstate__(self) -> dict[str, Any]:
        """All but what is being read."""
        kept = ("_path", "_rate_hz", "_channel", "_size", "_energies", "_limit_s")
        return {name: getattr(self, name) for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Begin at the beginning."""
        self.__dict__.update(state, _cancelled=never)
        self._begin_anew()
