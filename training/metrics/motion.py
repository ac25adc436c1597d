"""Motion: whether draws change from second to second as music does.

The angle between successive latents, in radians from 0 (no change) to π, gives T - 1 values per
sequence. Their histogram is one vector per sequence, and the Fréchet distance between the vectors
of real and drawn sequences shows whether they move alike, whatever they sound like.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gdr_model.errors import UsageError
from training.metrics.arrays import Floats, checked, unit
from training.metrics.fidelity import Distance, frechet, frechet_shrunk

BINS = 32


def angles(sequences: ArrayLike) -> Floats:
    """Latents (N, T, D) to the angles (N, T - 1) between successive ones, in radians."""
    found = checked(sequences, "the sequences", 3)
    if found.shape[1] < 2:
        raise UsageError("sequences of one latent do not move; at least two are needed")
    directions = unit(found)
    # From the chord: where nothing moves, the arc cosine has lost half its digits.
    chord = np.linalg.norm(np.diff(directions, axis=1), axis=2)  # (N, T - 1)
    return np.asarray(2 * np.arcsin(np.minimum(chord / 2, 1)))


def motion_histograms(sequences: ArrayLike, bins: int = BINS) -> Floats:
    """Latents (N, T, D) to histograms (N, bins) over [0, π], each with sum one."""
    if bins < 2:
        raise UsageError(f"a histogram of {bins} bins shows nothing; use 2 or more")
    found = angles(sequences)
    place = np.minimum((found / np.pi * bins).astype(np.int64), bins - 1)  # (N, T - 1)
    counts = np.zeros((len(found), bins))
    np.add.at(counts, (np.arange(len(found))[:, None], place), 1)
    return np.asarray(counts / found.shape[1])


def motion_frechet(
    real: ArrayLike, drawn: ArrayLike, bins: int = BINS, *, shrunk: bool = False
) -> Distance:
    """Fréchet distance between the histograms of real and drawn sequences (N, T, D).

    Lengths may differ between the two, since every histogram has sum one.
    """
    a, b = motion_histograms(real, bins), motion_histograms(drawn, bins)
    return (frechet_shrunk if shrunk else frechet)(a, b)
