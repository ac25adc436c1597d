"""Clusters of draws: which of them point the same way, and whether any do not.

Shapes: Q draws, D latent width.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.whitening import unit
from gdr_model.types import Array

MOST = 3
"""Interpretations told apart, at most: eight draws are few for more."""
APART = 0.6
"""Cosine of two centres from which on the clouds are one. On a library of 268 tracks, "warm
piano" and "funk" split into centres at .79 and .85, "night" and "dark" into ones at .03 and .06;
the first pairs share 8 and 5 of their ten nearest tracks, the second none and one."""
_ROUNDS = 20

Parts = NDArray[np.int64]
"""(Q,) the interpretation of each draw, numbered from 0."""


def clusters(draws: Array, count: int = 2) -> Parts:
    """The cluster of each draw: spherical k-means of unit draws (Q, D), without chance.

    The first centre is the draw nearest to all, each further one the draw farthest from those
    already chosen.
    """
    rows = unit(draws)
    near = rows @ rows.T  # (Q, Q)
    chosen = [int(near.mean(1).argmax())]
    while len(chosen) < min(count, len(rows)):
        chosen.append(int(near[chosen].max(0).argmin()))
    centres = rows[chosen]
    own = np.zeros(len(rows), np.int64)
    for turn in range(_ROUNDS):
        now = (rows @ centres.T).argmax(1)
        if turn and (now == own).all():
            break
        own = now
        kept = [rows[own == i].mean(0) if (own == i).any() else c for i, c in enumerate(centres)]
        centres = unit(np.stack(kept))
    return own


def split(draws: Array, most: int = MOST) -> Parts | None:
    """The interpretation of each of the unit draws (Q, D), largest first; None where they agree.

    Of the partitions into 2 to `most` clusters whose centres all lie apart, the one of the
    largest silhouette.
    """
    best: Parts | None = None
    height = -1.0
    for count in range(2, min(most, len(draws)) + 1):
        parts = clusters(draws, count)
        centres = [unit(draws[parts == part].mean(0)) for part in np.unique(parts)]
        if len(centres) < count or any(float(a @ b) > APART for a, b in combinations(centres, 2)):
            continue
        if (now := silhouette(draws, parts)) > height:
            best, height = parts, now
    return None if best is None else _by_size(best)


def silhouette(draws: Array, parts: Parts) -> float:
    """How much nearer the draws are to their own cluster than to the next, from -1 to 1.

    Rousseeuw's mean over the draws with distances 1 - cosine; a draw by itself counts 0.
    """
    far = 1 - draws @ draws.T  # (Q, Q)
    total = 0.0
    for at, part in enumerate(parts):
        own = (parts == part) & (np.arange(len(parts)) != at)
        if own.any():
            within = far[at][own].mean()
            beyond = min(far[at][parts == other].mean() for other in set(parts) - {part})
            total += float((beyond - within) / max(beyond, within, 1e-12))
    return total / len(parts)


def _by_size(parts: Parts) -> Parts:
    """The same clusters, numbered by size and, among equals, by their first draw."""
    labels, first, sizes = np.unique(parts, return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    place = np.empty(len(labels), np.int64)
    place[order] = np.arange(len(labels))
    return place[np.searchsorted(labels, parts)]
