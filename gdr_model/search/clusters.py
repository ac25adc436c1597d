"""Cluster draws by direction, and decide whether there is more than one cluster.

Shapes: Q draws, D latent width.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.whitening import unit
from gdr_model.types import Array

MAX_PARTS = 3
"""Interpretations at most: eight draws are too few for more."""
APART = 0.6
"""Cosine of two centres above which two clusters count as one. On a library of 268 tracks, "warm
piano" and "funk" split into centres at .79 and .85, "night" and "dark" into ones at .03 and .06;
the first pairs share 8 and 5 of their ten nearest tracks, the second none and one."""
_ROUNDS = 20

Parts = NDArray[np.int64]
"""(Q,) the interpretation of each draw, numbered from 0."""


def clusters(draws: Array, count: int = 2) -> Parts:
    """The cluster of each draw: spherical k-means of unit draws (Q, D), deterministic.

    The first centre is the draw nearest to all, each further one the draw farthest from those
    already chosen.
    """
    rows = unit(draws)
    near = rows @ rows.T  # (Q, Q)
    chosen = [int(near.mean(1).argmax())]
    while len(chosen) < min(count, len(rows)):
        chosen.append(int(near[chosen].max(0).argmin()))
    centres = rows[chosen]
    parts = np.zeros(len(rows), np.int64)
    for turn in range(_ROUNDS):
        nearest = (rows @ centres.T).argmax(1)
        if turn and (nearest == parts).all():
            break
        parts = nearest
        means = [
            rows[parts == i].mean(0) if (parts == i).any() else centre
            for i, centre in enumerate(centres)
        ]
        centres = unit(np.stack(means))
    return parts


def split(draws: Array, most: int = MAX_PARTS) -> Parts | None:
    """The interpretation of each of the unit draws (Q, D), largest first; None if they agree.

    Of the partitions into 2 to `most` clusters whose centres are all far apart, the one with the
    largest silhouette.
    """
    best: Parts | None = None
    best_silhouette = -1.0
    for count in range(2, min(most, len(draws)) + 1):
        parts = clusters(draws, count)
        centres = [unit(draws[parts == part].mean(0)) for part in np.unique(parts)]
        if len(centres) < count or any(float(a @ b) > APART for a, b in combinations(centres, 2)):
            continue
        if (value := silhouette(draws, parts)) > best_silhouette:
            best, best_silhouette = parts, value
    return None if best is None else _by_size(best)


def silhouette(draws: Array, parts: Parts) -> float:
    """How much nearer the draws are to their own cluster than to the next, from -1 to 1.

    Rousseeuw's mean over the draws with distances 1 - cosine; a draw alone in its cluster counts 0.
    """
    distances = 1 - draws @ draws.T  # (Q, Q)
    total = 0.0
    for draw, part in enumerate(parts):
        same = (parts == part) & (np.arange(len(parts)) != draw)
        if same.any():
            within = distances[draw][same].mean()
            beyond = min(distances[draw][parts == other].mean() for other in set(parts) - {part})
            total += float((beyond - within) / max(beyond, within, 1e-12))
    return total / len(parts)


def _by_size(parts: Parts) -> Parts:
    """The same clusters, numbered by size and then by their first draw."""
    labels, first, sizes = np.unique(parts, return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    place = np.empty(len(labels), np.int64)
    place[order] = np.arange(len(labels))
    return place[np.searchsorted(labels, parts)]
