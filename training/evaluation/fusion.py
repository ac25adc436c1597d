"""How what was drawn for a prompt becomes one ranking of the gallery.

mean      cosine to the mean of the draws, as the method's authors do
scores    mean over the draws of their cosines
max       the best cosine of any draw
rrf       reciprocal-rank fusion of the draws' own rankings, 1 / (60 + rank)
anchor    cosine to the estimate of clean data at the highest noise: the regression in the denoiser
density   log p(x | words) - log p(x) with p(x | words) a Gaussian around the mean of the draws
ratio     the same with a Gaussian around the anchor

If every passage is as likely to be meant, p(passage | words) orders passages as the ratio of
`density` and `ratio` does: a passage that is near to every prompt gains nothing from being near
to this one. p(x) is the unit Gaussian of standardised latents; the spread around a prompt's mean
follows from the law of total variance, 1 = E[Var(x | words)] + Var(E[x | words]), axis by axis.

Shapes: P prompts, Q draws, R gallery, D latent width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdr_model.errors import UsageError
from gdr_model.types import Array
from training.runs.space import Space

RRF = 60
LEAST_SPREAD = 0.05


@dataclass(frozen=True)
class Drawn:
    """What a network says to prompts, standardised time-means."""

    draws: Array  # (P, Q, D)
    anchor: Array  # (P, D)
    explained: Array  # (D,) variance of the anchors of the training captions


def fused(drawn: Drawn, gallery: Array, space: Space, rule: str) -> Array:
    """Scores (P, R) of a standardised gallery (R, D)."""
    if rule in ("density", "ratio"):
        mean = drawn.draws.mean(1) if rule == "density" else drawn.anchor
        return ratio(mean, gallery, 1 - drawn.explained)
    if rule in ("mean", "anchor"):
        query = drawn.draws.mean(1) if rule == "mean" else drawn.anchor
        return space.search(query) @ space.search(gallery).T
    known = space.search(gallery)
    return np.stack([_rule(own @ known.T, rule) for own in space.search(drawn.draws)])


def _rule(scores: Array, rule: str) -> Array:
    """Scores of the draws of a prompt (Q, R) to one score a passage (R,)."""
    if rule == "scores":
        return np.asarray(scores.mean(axis=0))
    if rule == "max":
        return np.asarray(scores.max(axis=0))
    if rule == "rrf":
        places = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1) + 1
        return np.asarray((1.0 / (RRF + places)).sum(axis=0), np.float32)
    raise UsageError(f"unknown fusion {rule!r}")


def ratio(mean: Array, gallery: Array, spread: Array) -> Array:
    """Scores (P, R): log N(x; mean, spread) - log N(x; 0, 1), less what is equal for all x."""
    s = np.maximum(spread.astype(np.float64), LEAST_SPREAD)
    x = gallery.astype(np.float64)
    # -(x - m)² / 2s + x² / 2, the square multiplied out.
    own = (x**2 * (1 - 1 / s)).sum(1) / 2  # (R,)
    return np.asarray((mean / s) @ x.T + own[None], np.float32)
