"""Other ways to make one varied list from all draws, which compete with the mean that is used.

Quota      each interpretation of the prompt (`search.clusters`) has its share of the list.
Greedy DPP the list of the highest determinant (Chen, Zhang and Zhou, 2018): tracks of high score
           and unlike each other.
Coverage   every draw is something the prompt can mean; a track counts for what it adds to the best
           of the list for each draw.

Shapes: Q draws, R tracks, D latent width, K tracks of a list.
"""

from __future__ import annotations

import numpy as np

from gdr_model.search.clusters import split
from gdr_model.types import Array
from training.evaluation.spread.rivals import POOL, Rows


def quota(draws: Array, scores: Array, by_draw: Array, k: int) -> Rows:
    """A list from draws (Q, D), fused scores (R,), and scores by each draw (Q, R)."""
    parts = split(draws)
    if parts is None:
        return np.argsort(-scores, kind="stable")[:k]
    sizes = np.bincount(parts)
    own = [scores + by_draw[parts == part].mean(axis=0) for part in range(len(sizes))]
    taken: list[int] = []
    got = np.zeros(len(sizes))
    for _ in range(k):
        part = int(np.argmax(sizes / len(parts) * (len(taken) + 1) - got))
        left = own[part].copy()
        left[taken] = -np.inf
        taken.append(int(np.argmax(left)))
        got[part] += 1
    return np.array(taken)


def greedy_dpp(scores: Array, points: Array, temperature: float, k: int) -> Rows:
    """The list by scores (R,) of tracks (R, D) that a k-DPP likes best, greedily."""
    pool = np.argsort(-scores)[:POOL]
    quality = np.exp((scores[pool] - scores[pool].max()) / (2 * temperature))
    alike = quality[:, None] * (points[pool] @ points[pool].T) * quality
    gain = np.diag(alike).astype(np.float64)
    parts = np.zeros((0, len(pool)))
    taken: list[int] = []
    for _ in range(min(k, len(pool))):
        best = int(np.argmax(gain))
        row = (alike[best] - parts[:, best] @ parts) / np.sqrt(max(gain[best], 1e-12))
        parts = np.vstack([parts, row])
        gain = gain - row**2
        taken.append(best)
        gain[taken] = -np.inf
    return pool[taken]


def coverage(scores: Array, by_draw: Array, counts: float, k: int) -> Rows:
    """A list by scores (R,), where what is added for the draws (Q, R) `counts` too."""
    taken: list[int] = []
    best = np.full(len(by_draw), by_draw.mean())
    for _ in range(k):
        added = np.maximum(by_draw - best[:, None], 0).mean(axis=0)
        gain = scores + counts * added
        gain[taken] = -np.inf
        taken.append(int(np.argmax(gain)))
        best = np.maximum(best, by_draw[:, taken[-1]])
    return np.array(taken)
