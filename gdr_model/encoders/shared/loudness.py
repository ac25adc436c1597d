"""How loud a sound is as a whole, and how to bring it to one level piece by piece."""

from __future__ import annotations

import numpy as np

from gdr_model.types import Array, Samples

_BLOCK = 1 << 17
"""Samples squared at once."""


def piece(samples: Samples, first: int, last: int) -> Array:
    """Samples `first` to `last` (last - first,), with silence after the end."""
    found = np.asarray(samples[first:last], np.float32)
    return found if len(found) == last - first else np.pad(found, (0, last - first - len(found)))


def gain(samples: Samples, count: int, level_db: float) -> np.float32:
    """What brings the first `count` samples (silence after the end) to an RMS of `level_db`.

    Digital silence is left as it is.
    """
    rms = float(np.sqrt(_energy(samples, count) / count)) if count else 0.0
    return np.float32(1) if rms < 1e-6 else np.float32(10 ** (level_db / 20) / rms)


def _energy(samples: Samples, count: int) -> float:
    if not isinstance(samples, np.ndarray):
        return samples.energy(count)
    return _pairwise(samples, 0, count)


def _pairwise(samples: Array, first: int, last: int) -> float:
    """The sum of squares, in halves as numpy adds them up, but never all of them in memory."""
    count = last - first
    if count <= _BLOCK:
        return float(np.square(piece(samples, first, last), dtype=np.float64).sum())
    half = count // 2 - count // 2 % 8
    return _pairwise(samples, first, first + half) + _pairwise(samples, first + half, last)
