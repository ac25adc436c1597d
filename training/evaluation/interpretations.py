"""What the cloud of draws says of a prompt: how ambiguous it is, and what an interpretation finds.

Shapes: P prompts, Q draws, D latent width, R gallery.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training.metrics.diversity import mics_per_prompt


def ambiguity(vectors: Array) -> NDArray[np.float64]:
    """(P,) 1 - mean cosine between two draws of unit vectors (P, Q, D): 0 where all agree."""
    return np.asarray(1 - mics_per_prompt(vectors))


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's, between values (P,) and values (P,); ties share their mean rank."""
    x, y = _places(a), _places(b)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum()) / scale if scale else 0.0


def _places(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2)[at]


def best_interpretation(draws: Array, gallery: Array, parts: NDArray[np.int64]) -> Array:
    """(n, R) scores of each part of the unit draws (Q, D): its mean against the gallery (R, D)."""
    return np.stack([unit(draws[parts == i].mean(0)) @ gallery.T for i in np.unique(parts)])
