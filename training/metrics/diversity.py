"""Diversity: how much the draws of one prompt differ, and how they cover the real set.

MICS    mean over prompts of the mean cosine between two different draws; lower is more diverse.
MIVS    mean over prompts of the Vendi score of their draws (Friedman and Dieng, 2023): the
        exponential of the entropy of the eigenvalues of K / Q, with K the cosines. It counts
        effective draws, from 1 (all equal) to Q (all orthogonal); higher is more diverse.
PRDC    precision, recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al., 2020)
        from open balls that reach to the k-th nearest neighbour, not counting the point itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gdr_model.errors import UsageError
from training.metrics.arrays import Floats, checked, distances, pair, unit


def mics_per_prompt(draws: ArrayLike) -> Floats:
    """(P, Q, D) to the mean cosine (P,) between two different draws of a prompt."""
    vectors = unit(_draws(draws))
    q = vectors.shape[1]
    sums = vectors.sum(axis=1)  # (P, D): its squared length is the sum of all Q² cosines
    return ((sums**2).sum(axis=1) - q) / (q * (q - 1))  # type: ignore[no-any-return]


def mics(draws: ArrayLike) -> float:
    """The mean intra-prompt cosine similarity of draws (P, Q, D)."""
    return float(mics_per_prompt(draws).mean())


def vendi(vectors: ArrayLike, order: float = 1.0) -> float:
    """The Vendi score of vectors (N, D); with `order` above 1 rare kinds count less."""
    rows = unit(checked(vectors, "the set", 2))
    # K / N has the eigenvalues of the Gram matrix over the dimensions, apart from zeros; as squared
    # singular values the small ones stay exact.
    shares = np.linalg.svd(rows / np.sqrt(len(rows)), compute_uv=False) ** 2
    shares = shares[shares > 0]
    if order == 1:
        return float(np.exp(-(shares * np.log(shares)).sum()))
    if order <= 0:
        raise UsageError(f"a Vendi score of order {order:g} has no meaning; use more than 0")
    return float((shares**order).sum() ** (1 / (1 - order)))


def vendi_per_prompt(draws: ArrayLike, order: float = 1.0) -> Floats:
    """(P, Q, D) to the Vendi score (P,) of each prompt's draws."""
    return np.array([vendi(prompt, order) for prompt in _draws(draws)])


def mivs(draws: ArrayLike) -> float:
    """The mean intra-prompt Vendi score of draws (P, Q, D)."""
    return float(vendi_per_prompt(draws).mean())


def prdc(real: ArrayLike, drawn: ArrayLike, k: int = 5) -> dict[str, float]:
    """Precision, recall, density and coverage of the drawn set (M, D) for the real (N, D).

    Shares, not percent: density may exceed 1.
    """
    if k < 1:
        raise UsageError(f"{k} neighbours make no ball; use 1 or more")
    a, b = pair(real, drawn, least=k + 1)
    centre = a.mean(axis=0)  # far from the origin, distances would lose digits
    a, b = a - centre, b - centre
    between = distances(a, b)  # (N, M)
    reach_real, reach_drawn = _reach(a, k), _reach(b, k)  # (N,), (M,)
    inside = between < reach_real[:, None]
    return {
        "precision": float(inside.any(axis=0).mean()),
        "recall": float((between < reach_drawn[None]).any(axis=1).mean()),
        "density": float(inside.sum(axis=0).mean() / k),
        "coverage": float((between.min(axis=1) < reach_real).mean()),
    }


def _reach(rows: Floats, k: int) -> Floats:
    """(N,) distance to the k-th neighbour; the nearest of all is the point itself."""
    # A copy, because numpy multiplies a matrix by itself with another routine, which rounds
    # differently.
    apart = distances(rows, rows.copy())
    return np.partition(apart, k, axis=1)[:, k]


def _draws(values: ArrayLike) -> Floats:
    draws = checked(values, "the draws", 3)
    if draws.shape[1] < 2:
        raise UsageError("one draw per prompt has no diversity; draw at least two")
    return draws
