"""How the draws of a prompt become one ranking of the gallery.

mean      cosine to the mean of the draws, as the method's authors do
scores    mean over the draws of their cosines
max       the best cosine of any draw
rrf       reciprocal-rank fusion of the draws' own rankings, 1 / (60 + rank)
density   how much likelier the passage is under the prompt's draws than without words

`density` is what a generative retriever knows and a point does not: log p(x | words) - log p(x),
which, every passage being as likely to be meant, orders passages as p(passage | words) does. Both
densities are read off draws as Gaussians with axes of their own spread: the mean of the prompt's
draws with spread s² around it, against the unit Gaussian of standardised latents.

Shapes: P prompts, Q draws, R gallery, D latent width.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import UsageError
from gdr_model.types import Array
from training.space import Space

RRF = 60
LEAST_SPREAD = 0.05


def fused(draws: Array, gallery: Array, space: Space, rule: str, calm: float = 0.0) -> Array:
    """Scores (P, R) from draws (P, Q, D) and the gallery (R, D), both standardised."""
    if rule == "density":
        return density(draws, gallery, calm)
    if rule == "mean":
        return space.search(draws.mean(1)) @ space.search(gallery).T
    rows, known = space.search(draws), space.search(gallery)
    return np.stack([_rule(own @ known.T, rule) for own in rows])


def _rule(scores: Array, rule: str) -> Array:
    """Scores of the draws of a prompt (Q, R) to one score a passage (R,)."""
    if rule == "scores":
        return np.asarray(scores.mean(axis=0))
    if rule == "max":
        return np.asarray(scores.max(axis=0))
    if rule == "rrf":
        places = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1) + 1
        return np.asarray((1.0 / (RRF + places)).sum(axis=0), np.float32)
    raise UsageError(f"unknown fusion {rule!r}; use mean, scores, max, rrf or density")


def density(draws: Array, gallery: Array, calm: float = 0.0) -> Array:
    """Scores (P, R): log-ratio of Gaussians around the draws (P, Q, D) and around nothing.

    The spread s² of an axis is that of the draws, mean over the prompts. A network that has seen
    its captions many times is too sure of itself; `calm` moves s² that share of the way to 1.
    """
    mean = draws.mean(1).astype(np.float64)  # (P, D)
    spread = draws.var(1, ddof=1).mean(0) if draws.shape[1] > 1 else np.zeros(draws.shape[2])
    return ratio(mean, gallery, calm + (1 - calm) * np.minimum(spread, 1.0))


def ratio(mean: NDArray[np.float64], gallery: Array, spread: NDArray[np.floating]) -> Array:
    """Scores (P, R): log N(x; mean, spread) - log N(x; 0, 1), less what is equal for all x."""
    s = np.maximum(spread, LEAST_SPREAD)
    x = gallery.astype(np.float64)
    # -(x - m)² / 2s + x² / 2, the square multiplied out.
    own = (x**2 * (1 - 1 / s)).sum(1) / 2  # (R,)
    return np.asarray((mean / s) @ x.T + own[None], np.float32)
