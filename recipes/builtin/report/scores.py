"""What the report says of ranks: recalls with intervals, what chance gives, fusion of draws."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from gdr_model.types import Array
from training.metrics.retrieval import Ranks

Bools = NDArray[np.bool_]
CUTS = (1, 5, 10)
RULES = ("mean", "rrf", "max")
SHIPPED_ROW = "gdr as it ships: draws and the tower"
DRAWS_ROW = "draws alone, mean"
TOWER_ROW = "contrastive tower"
RIDGE_ROW = "ridge regression"


def chance(correct: Bools, k: int) -> float:
    """Recall at k of a random order, mean over the queries."""
    items = correct.shape[1]
    k = min(k, items)
    missed = [comb(items - int(m), k) / comb(items, k) for m in correct.sum(axis=1)]
    return 1.0 - float(np.mean(missed))


@dataclass(frozen=True)
class Recall:
    """Recalls in percent with 95 % bootstrap intervals over the queries, and median rank."""

    at: dict[int, float]
    low: dict[int, float]
    high: dict[int, float]
    median_rank: float

    @classmethod
    def of(cls, found: Ranks, seed: int = 0, resamples: int = 2000) -> Recall:
        """From the ranks of the queries."""
        rng = np.random.default_rng(seed)
        drawn = found[rng.integers(len(found), size=(resamples, len(found)))]
        at, low, high = {}, {}, {}
        for k in CUTS:
            at[k] = 100 * float((found <= k).mean())
            shares = 100 * (drawn <= k).mean(axis=1)
            low[k], high[k] = (float(v) for v in np.percentile(shares, [2.5, 97.5]))
        return cls(at, low, high, float(np.median(found)))

    def row(self, name: str) -> str:
        """A row of a Markdown table."""
        cells = [f"{self.at[k]:.1f} [{self.low[k]:.1f}, {self.high[k]:.1f}]" for k in CUTS]
        return f"| {name} | {' | '.join(cells)} | {self.median_rank:g} |"


def fuse(scores: Array, rule: str) -> Array:
    """Scores of the draws (Q, N) to one score an item (N,)."""
    if rule == "mean":
        return np.asarray(scores.mean(axis=0))
    if rule == "max":
        return np.asarray(scores.max(axis=0))
    if rule == "rrf":
        places = np.argsort(np.argsort(-scores, axis=1), axis=1) + 1
        return np.asarray((1.0 / (60 + places)).sum(axis=0), dtype=np.float32)
    raise ValueError(f"unknown fusion {rule!r}; use mean, max or rrf")
