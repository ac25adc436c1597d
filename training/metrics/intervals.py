"""Bootstrap intervals (percentile), for one system and for the difference of two.

Queries are resampled with replacement. Several captions of one track are not independent: pass
their tracks as `groups`, and whole tracks are resampled instead. For a difference both systems
answer the same resampled queries, so what is hard for both cancels out.

A statistic maps values (Q,) to a number, by default the mean: hits times 100 give R@k in percent,
reciprocal ranks give MRR. `np.median` of ranks gives the median rank.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gdr_model.errors import UsageError
from training.metrics.arrays import Floats, checked

Statistic = Callable[[Floats], float]


@dataclass(frozen=True)
class Interval:
    """A value and the range that holds `level` percent of the resampled ones."""

    value: float
    low: float
    high: float
    level: float
    units: int
    """How many queries, or groups of them, were resampled."""
    resamples: int
    seed: int

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def mean(values: Floats) -> float:
    """The default statistic."""
    return float(values.mean())


def interval(
    values: ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    statistic: Statistic = mean,
    level: float = 95.0,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """The interval of one system's values (Q,)."""
    ours = checked(values, "the values", 1)
    return _bootstrap(
        lambda at: float(statistic(ours[at])), len(ours), groups, level, resamples, seed
    )


def difference_interval(
    ours: ArrayLike,
    theirs: ArrayLike,
    *,
    groups: Sequence[Hashable] | None = None,
    statistic: Statistic = mean,
    level: float = 95.0,
    resamples: int = 10_000,
    seed: int = 0,
) -> Interval:
    """The interval of statistic(ours) - statistic(theirs), values (Q,) of the same queries."""
    a, b = checked(ours, "our values", 1), checked(theirs, "their values", 1)
    if len(a) != len(b):
        raise UsageError(
            f"a paired difference needs the same queries; there are {len(a)} and {len(b)} values"
        )
    return _bootstrap(
        lambda at: float(statistic(a[at])) - float(statistic(b[at])),
        len(a),
        groups,
        level,
        resamples,
        seed,
    )


def _bootstrap(
    figure: Callable[[np.ndarray[tuple[int], np.dtype[np.int64]]], float],
    queries: int,
    groups: Sequence[Hashable] | None,
    level: float,
    resamples: int,
    seed: int,
) -> Interval:
    if not 0 < level < 100:
        raise UsageError(f"a level of {level:g} percent is out of range; use above 0, below 100")
    if resamples < 1:
        raise UsageError(f"{resamples} resamples are too few; use at least 1")
    if groups is not None and len(groups) != queries:
        raise UsageError(f"{len(groups)} groups do not fit {queries} queries; give one each")
    rng = np.random.default_rng(seed)
    members: dict[Hashable, list[int]] = {}
    for query, group in enumerate(range(queries) if groups is None else groups):
        members.setdefault(group, []).append(query)
    # Queries sorted by group, so that a resampled group is a slice of `order`.
    order = np.concatenate([np.asarray(rows, np.int64) for rows in members.values()])
    sizes = np.array([len(rows) for rows in members.values()], np.int64)
    starts = np.cumsum(sizes) - sizes
    figures = np.empty(resamples)
    for i in range(resamples):
        chosen = rng.integers(len(sizes), size=len(sizes))
        lengths = sizes[chosen]
        inner = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        figures[i] = figure(order[np.repeat(starts[chosen], lengths) + inner])
    low, high = np.percentile(figures, [50 - level / 2, 50 + level / 2])
    value = figure(np.arange(queries))
    return Interval(value, float(low), float(high), level, len(sizes), resamples, seed)
