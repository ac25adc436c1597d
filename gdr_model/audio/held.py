"""Samples as they are decoded: held while they are few, and counted in any case.

Headers are not believed, so nobody knows how many samples will come: a file of half a megabyte can
hold hours and announce nothing.
"""

from __future__ import annotations

import math

import numpy as np

from gdr_model.types import Array

LIMIT = 1 << 26
"""Samples: over an hour at 16 kHz, 256 MB."""

_LEAST = 1 << 20
"""Samples that an array has room for once it has any."""


class GrowingArray:
    """An array that grows in place: joining a list of blocks would need twice the memory."""

    def __init__(self) -> None:
        self.size = 0
        self._samples = np.empty(0, np.float32)

    def append(self, block: Array) -> None:
        """Add a block of any shape, flattened."""
        end = self.size + block.size
        if end > self._samples.size:
            self._resize(max(end, _LEAST, self._samples.size * 9 // 8))
        self._samples[self.size : end] = block.reshape(-1)
        self.size = end

    def finished(self) -> Array:
        """Everything appended so far (N,); nothing can be appended afterwards."""
        self._resize(self.size)
        return self._samples

    def _resize(self, size: int) -> None:
        self._samples.resize(size, refcheck=False)


class Held:
    """Mono samples, up to a limit; beyond it, their number and their energy second by second."""

    def __init__(self, rate_hz: int, limit: int = LIMIT) -> None:
        self.size = 0
        """How many there were."""
        self.energies: list[float] = []
        """Sums of squares of each second, once the limit is passed; the last can be shorter."""
        self._rate_hz = rate_hz
        self._limit = limit
        self._samples: GrowingArray | None = GrowingArray()
        self._rest = np.empty(0, np.float32)

    def append(self, block: Array) -> None:
        """Add a block (N,)."""
        self.size += len(block)
        if self._samples is None:
            self._count(block)
        elif self.size <= self._limit:
            self._samples.append(block)
        else:
            samples, self._samples = self._samples.finished(), None
            for first in range(0, len(samples), _LEAST):
                self._count(samples[first : first + _LEAST])
            self._count(block)

    def finished(self) -> Array | None:
        """All samples (N,), or None if there were too many; nothing can be appended afterwards."""
        if self._samples is not None:
            return self._samples.finished()
        if len(self._rest):
            self.energies.append(_energy(self._rest))
        return None

    def _count(self, block: Array) -> None:
        samples = np.concatenate([self._rest, block])
        whole = len(samples) // self._rate_hz * self._rate_hz
        for first in range(0, whole, self._rate_hz):
            self.energies.append(_energy(samples[first : first + self._rate_hz]))
        self._rest = samples[whole:].copy()


def energy(energies: list[float], rate_hz: int, count: int) -> float:
    """The sum of squares of the first `count` samples: whole seconds, or all of them."""
    return math.fsum(energies[: math.ceil(count / rate_hz)])


def _energy(samples: Array) -> float:
    return float(np.square(samples, dtype=np.float64).sum())
