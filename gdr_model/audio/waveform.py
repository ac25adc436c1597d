"""The waveform of a sound, thinned out to columns."""

from __future__ import annotations

import numpy as np

from gdr_model.types import Array


def peaks(samples: Array, columns: int) -> Array:
    """Minimum and maximum of each column (columns, 2) of a waveform, from mono samples (N,)."""
    if not len(samples) or columns < 1:
        return np.zeros((max(columns, 0), 2), np.float32)
    edges = np.arange(columns) * len(samples) // columns
    low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    return np.stack([low, high], axis=1).astype(np.float32)
