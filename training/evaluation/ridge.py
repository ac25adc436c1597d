"""Ridge regression from pooled text to points: the plain linear rival of a network.

Shapes: I pairs, E text width, D width of the points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdr_model.types import Array

INNER_FOLDS = 4
ALPHAS = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0)

Doubles = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Ridge:
    """A linear map between two means."""

    weight: Doubles  # (E, D)
    centre: Doubles  # (E,)
    middle: Doubles  # (D,)
    alpha: float

    def __call__(self, pooled: Array) -> Array:
        """Pooled text (..., E) to points (..., D)."""
        return np.asarray((pooled - self.centre) @ self.weight + self.middle, np.float32)

    @classmethod
    def solve(cls, text: Array, wanted: Array, shares: Doubles, alpha: float) -> Ridge:
        """From pairs (I, E), (I, D) and their weights (I,)."""
        x, y = text.astype(np.float64), wanted.astype(np.float64)
        centre: Doubles = np.asarray(np.average(x, 0, shares))
        middle: Doubles = np.asarray(np.average(y, 0, shares))
        x, y = x - centre, y - middle
        gram = (x * shares[:, None]).T @ x + alpha * np.eye(x.shape[1])
        weight: Doubles = np.asarray(np.linalg.solve(gram, (x * shares[:, None]).T @ y))
        return cls(weight, centre, middle, alpha)


def best_alpha(
    text: Array,
    points: Array,
    owner: Numbers,
    shares: Doubles,
    search: Callable[[Array], Array],
    seed: int,
    *,
    asked: int | None = None,
    alphas: Sequence[float] = ALPHAS,
) -> float:
    """The strength that ranks held-out tracks best, over inner folds of the tracks.

    `owner` (I,) is each caption's row of the `points` of the tracks; `search` maps points to the
    search space. Only the first `asked` captions are searched with.
    """
    fold = np.random.default_rng(seed).permutation(len(points)) % INNER_FOLDS
    known, first = search(points), len(owner) if asked is None else asked
    ranks: dict[float, float] = {}
    for alpha in alphas:
        mean_rank = []
        for inner in range(INNER_FOLDS):
            away = fold[owner] == inner
            rows = np.flatnonzero(away[:first])
            if not len(rows) or away.all():
                continue
            fitted = Ridge.solve(text[~away], points[owner[~away]], shares[~away], alpha)
            scores = search(fitted(text[rows])) @ known.T
            own = scores[np.arange(len(rows)), owner[rows]]
            mean_rank.append(np.log1p((scores > own[:, None]).sum(1)).mean())
        ranks[alpha] = float(np.mean(mean_rank)) if mean_rank else 0.0
    return min(ranks, key=lambda alpha: ranks[alpha])
