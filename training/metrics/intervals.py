"""Bootstrap intervals (percentile), for one system and for the difference of two.

Queries are drawn again with replacement. Where several captions belong to one track they are
not independent: give their tracks as `groups`, and whole tracks are drawn again instead. For a
difference both systems see the same redrawn queries, so what is hard for both cancels out.

A statistic maps values (Q,) to a number: the mean unless told, so hits times 100 give R@k in
percent, reciprocal ranks MRR; `np.median` of ranks gives the median rank.
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
    """A value and where it lies by `level` percent of the resamples."""

    value: float
    low: float
    high: float
    level: float
    units: int
    """What was drawn again: queries, or groups of them."""
    resamples: int
    seed: int

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference is there, at this level."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"


def mean(values: Floats) -> float:
    """The statistic that is used unless told."""
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
    own = checked(values, "the values", 1)
    return _bootstrap(
        lambda at: float(statistic(own[at])), len(own), groups, level, resamples, seed
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
    # Queries in the order of their groups, so that a redrawn group is a stretch of `order`.
    order = np.concatenate([np.asarray(found, np.int64) for found in members.values()])
    sizes = np.array([len(found) for found in members.values()], np.int64)
    starts = np.cumsum(sizes) - sizes
    figures = np.empty(resamples)
    for i in range(resamples):
        drawn = rng.integers(len(sizes), size=len(sizes))
        lengths = sizes[drawn]
        inner = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        figures[i] = figure(order[np.repeat(starts[drawn], lengths) + inner])
    low, high = np.percentile(figures, [50 - level / 2, 50 + level / 2])
    value = figure(np.arange(queries))
    return Interval(value, float(low), float(high), level, len(sizes), resamples, seed)
