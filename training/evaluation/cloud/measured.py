"""One cloud against the tracks that answer its prompt, as a row of figures.

Everything is measured on unit vectors of the search space. Shapes: Q draws, N tracks, F tracks
that fit, D latent width.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.nearest import fuse
from gdr_model.types import Array
from training import metrics
from training.data.division import Mask

AXES = 12
"""Principal axes of all tracks, along which a cloud is measured."""
LISTED = 20
"""Tracks of a list."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cloud:
    """The figures of one cloud."""

    spread: float
    """Variance of the draws over that of the tracks that fit."""
    off: float
    """Mean factor by which a principal axis is too wide or too narrow; 1 is none."""
    energy: float
    nearest: float
    """Different tracks nearest to a draw, over the same of as many tracks that fit."""
    precision: float
    recall: float
    density: float
    coverage: float
    axes: tuple[float, ...]
    """The ratio of variances along each axis."""


def measure(
    draws: Array, tracks: Array, right: Mask, axes: Floats, rng: np.random.Generator
) -> Cloud:
    """Draws (Q, D) of a prompt against the tracks (N, D), and those that fit (N,)."""
    fits = tracks[right]
    ratios = metrics.axis_ratios(fits, draws, axes)
    others = fits[rng.choice(len(fits), len(draws))]
    return Cloud(
        spread=metrics.spread_ratio(fits, draws),
        off=float(np.exp(np.abs(np.log(np.maximum(ratios, 1e-9))).mean())),
        energy=metrics.energy_distance(fits, draws),
        nearest=metrics.nearest(tracks, draws) / metrics.nearest(tracks, others),
        axes=tuple(ratios),
        **metrics.prdc(fits, draws),
    )


def mean_of(clouds: list[Cloud]) -> list[float]:
    """Means over prompts of all figures but the axes; ratios are averaged as factors."""
    rows = np.array([astuple(cloud)[:-1] for cloud in clouds], np.float64)
    means = rows.mean(axis=0)
    means[:2] = np.exp(np.log(np.maximum(rows[:, :2], 1e-9)).mean(axis=0))
    return [float(value) for value in means]


def mean_axes(clouds: list[Cloud]) -> Floats:
    """Ratios along each axis, averaged over prompts as factors."""
    rows = np.array([cloud.axes for cloud in clouds])
    return np.asarray(np.exp(np.log(np.maximum(rows, 1e-9)).mean(axis=0)))


def listed(draws: Array, anchor: Array, share: float, tracks: Array, right: Mask) -> Floats:
    """Precision of the list of each draw, and how much of it another draw's list has not: (2,).

    Lists have `LISTED` tracks (N, D), ranked by one draw of (Q, D) and, for a share, by the tower's
    point (D,).
    """
    anchored = tracks @ anchor
    scores = np.stack([fuse(row[None] @ tracks.T, anchored, share) for row in draws])  # (Q, N)
    lists = np.argsort(-scores, axis=1, kind="stable")[:, :LISTED]
    on = np.zeros(scores.shape)
    np.put_along_axis(on, lists, 1.0, axis=1)
    count = len(draws)
    shared = ((on @ on.T).sum() - on.sum()) / (count * (count - 1))
    return np.array([right[lists].mean(), 1 - shared / lists.shape[1]])
