"""Other ways to a varied list: what a two-tower tool can do without drawing anything.

Plackett-Luce   tracks are drawn one after the other, each with a probability that grows with its
                score; a higher temperature makes rolls differ more.
MMR             maximal marginal relevance (Carbonell and Goldstein, 1998): the next track is far
                from those taken; from scores perturbed as Plackett-Luce does, so that rolls differ.
k-DPP           a determinantal point process of k tracks (Kulesza and Taskar, 2011), sampled
                exactly: lists of high quality and of tracks unlike each other are likely.

Making room     each list takes something from the score of what it shows, as rolls do, but the
                scores are the tower's alone.

Shapes: S rolls, R tracks, D latent width, K tracks of a list, N candidates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.spread import LOOK
from gdr_model.types import Array

POOL = 100
"""Tracks of the highest scores among which MMR and the k-DPP choose."""
Rows = NDArray[np.int64]
Doubles = NDArray[np.float64]


def perturbed(scores: Array, temperature: float, random: np.random.Generator) -> Doubles:
    """Scores (R,) with noise such that their order is one that Plackett-Luce draws."""
    return scores + temperature * random.gumbel(size=scores.shape)


def plackett_luce(scores: Array, temperature: float, k: int, random: np.random.Generator) -> Rows:
    """A list (K,) drawn from scores (R,)."""
    return np.argsort(-perturbed(scores, temperature, random))[:k]


def mmr(scores: Doubles, points: Array, away: float, k: int) -> Rows:
    """A list (K,) by scores (R,), where nearness to what is taken counts `away`, 0 to 1."""
    pool = np.argsort(-scores)[:POOL]
    alike, left = points[pool] @ points[pool].T, scores[pool] * (1 - away)
    taken: list[int] = []
    nearest = np.zeros(len(pool))
    for _ in range(min(k, len(pool))):
        gain = left - away * nearest
        gain[taken] = -np.inf
        taken.append(int(np.argmax(gain)))
        nearest = np.maximum(nearest, alike[taken[-1]])
    return pool[taken]


def mmr_roll(
    scores: Array,
    points: Array,
    temperature: float,
    away: float,
    k: int,
    random: np.random.Generator,
) -> Rows:
    """A list (K,) by MMR, another one every time: from scores (R,) that are perturbed."""
    return mmr(perturbed(scores, temperature, random), points, away, k)


def k_dpp(
    scores: Array, points: Array, temperature: float, k: int, random: np.random.Generator
) -> Rows:
    """A list (K,) drawn from the k-DPP of qualities exp(score / temperature) and cosines."""
    pool = np.argsort(-scores)[:POOL]
    quality = np.exp((scores[pool] - scores[pool].max()) / (2 * temperature)).astype(np.float64)
    alike = points[pool].astype(np.float64) @ points[pool].T.astype(np.float64)
    values, vectors = np.linalg.eigh(quality[:, None] * alike * quality + 1e-9 * np.eye(len(pool)))
    chosen = _eigenvectors(np.maximum(values, 1e-12), min(k, len(pool)), random)
    return pool[_from_projection(vectors[:, chosen], random)]


def _eigenvectors(values: Doubles, k: int, random: np.random.Generator) -> list[int]:
    """Which k eigenvectors make the sample, by the elementary symmetric polynomials."""
    count = len(values)
    values = values * (k / values.sum())  # so that the polynomials neither overflow nor vanish
    sums = np.zeros((k + 1, count + 1))
    sums[0] = 1
    for n in range(1, count + 1):
        sums[1:, n] = sums[1:, n - 1] + values[n - 1] * sums[:-1, n - 1]
    chosen: list[int] = []
    for n in range(count, 0, -1):
        size = k - len(chosen)
        if size and random.random() * sums[size, n] < values[n - 1] * sums[size - 1, n - 1]:
            chosen.append(n - 1)
    return chosen


def _from_projection(vectors: Doubles, random: np.random.Generator) -> list[int]:
    """As many items as there are orthonormal vectors (N, K), drawn one after the other."""
    chosen: list[int] = []
    for _ in range(vectors.shape[1]):
        likely = (vectors**2).sum(axis=1)
        item = int(random.choice(len(likely), p=likely / likely.sum()))
        chosen.append(item)
        pivot = int(np.argmax(np.abs(vectors[item])))
        column = vectors[:, pivot]
        vectors = np.delete(vectors - np.outer(column, vectors[item] / column[item]), pivot, axis=1)
        vectors = np.linalg.qr(vectors)[0]
    return chosen


def making_room(scores: Array, takes: float, k: int, rolls: int) -> Rows:
    """Lists (S, K) by scores (R,), from which every list takes something of what it shows.

    As for rolls, that is its first `LOOK` tracks, however long the lists (S, K) are. The first
    list, by the scores as they are, is not among them.
    """
    left = scores.astype(np.float64)
    lists = []
    for _ in range(rolls + 1):
        order = np.argsort(-left, kind="stable")
        lists.append(order[:k])
        left[order[:LOOK]] -= takes
    return np.stack(lists[1:])
