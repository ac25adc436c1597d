"""Clouds: whether the draws of a prompt are spread as the tracks are that answer it.

Spread      the variance of the draws, summed over all axes, over that of the tracks; 1 is as wide.
Axes        the same along each principal axis of a library, the widest first.
Energy      2 E|r - d| - E|r - r'| - E|d - d'| over tracks r and draws d (Székely and Rizzo, 2013),
            different ones in the last two means. 0 for equal distributions, and as unbiased as the
            kernel distance, so slightly negative at times.
Nearest     how many different tracks of a library are the nearest of some draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gdr_model.errors import UsageError
from training.metrics.arrays import Floats, checked, distances, pair


def spread_ratio(real: ArrayLike, drawn: ArrayLike) -> float:
    """Total variance of the drawn set (M, D) over that of the real one (N, D).

    Raises:
        UsageError: if the real set does not vary.
    """
    a, b = pair(real, drawn)
    within = a.var(axis=0, ddof=1).sum()
    if not within > 0:
        raise UsageError("the real set does not vary, so nothing can be as wide")
    return float(b.var(axis=0, ddof=1).sum() / within)


def principal_axes(library: ArrayLike, axes: int) -> Floats:
    """The axes (D, axes) along which the rows of a library (N, D) vary most, the widest first.

    Raises:
        UsageError: if it has fewer axes along which it varies.
    """
    rows = checked(library, "the library", 2, least=2)
    _, deviations, turned = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    varying = int((deviations > 1e-9 * max(1.0, deviations[0])).sum())
    if not 1 <= axes <= varying:
        raise UsageError(f"the library varies along {varying} axes; {axes} are asked for")
    return np.asarray(turned[:axes].T)


def axis_ratios(real: ArrayLike, drawn: ArrayLike, axes: ArrayLike) -> Floats:
    """Variances (A,) of the drawn set over the real one's, along axes (D, A).

    Take the axes of a library, not those of the real set: along its own widest axes a small set
    varies more than another sample of the same distribution.

    Raises:
        UsageError: if the real set does not vary along one of them.
    """
    a, b = pair(real, drawn)
    along = checked(axes, "the axes", 2)
    within = (a @ along).var(axis=0, ddof=1)
    if not (within > 0).all():
        raise UsageError("the real set does not vary along every axis, so no ratio can be formed")
    return np.asarray((b @ along).var(axis=0, ddof=1) / within)


def energy_distance(real: ArrayLike, drawn: ArrayLike) -> float:
    """The energy distance of the sets (N, D) and (M, D)."""
    a, b = pair(real, drawn)
    centre = a.mean(axis=0)  # far from the origin, distances would lose digits
    a, b = a - centre, b - centre
    return float(2 * distances(a, b).mean() - _apart(a) - _apart(b))


def nearest(library: ArrayLike, drawn: ArrayLike) -> int:
    """How many rows of the library (N, D) are the nearest of some draw (M, D)."""
    a = checked(library, "the library", 2)
    b = checked(drawn, "the drawn set", 2)
    return len(np.unique(distances(b, a).argmin(axis=1)))


def _apart(rows: Floats) -> float:
    """Mean distance of two different rows."""
    n = len(rows)
    return float(distances(rows, rows.copy()).sum() / (n * (n - 1)))
