"""The waveform of a sound, thinned out to columns."""

from __future__ import annotations

import numpy as np

from gdr_model.types import Array, Samples


def peaks(samples: Samples, columns: int) -> Array:
    """Minimum and maximum of each column (columns, 2) of a waveform, from mono samples (N,)."""
    count = len(samples)
    found = np.zeros((max(columns, 0), 2), np.float32)
    for column in range(columns if count else 0):
        first = column * count // columns
        part = samples[first : max((column + 1) * count // columns, first + 1)]
        found[column] = part.min(), part.max()
    return found
