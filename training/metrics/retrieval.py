"""Retrieval: where the correct tracks of a caption stand among the candidates.

`scores` is (Q, K): queries by candidates, higher is better. `correct` is (Q, K), True where the
candidate answers the query; every correct candidate counts. The rank of a query is 1 + the number
of candidates strictly better than its best correct one. Ties are therefore resolved in favour of
the correct candidate; cosines have none.
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gdr_model.errors import UsageError
from training.metrics.arrays import Floats, checked

Ranks = NDArray[np.int64]
Mask = NDArray[np.bool_]


def validate(scores: ArrayLike, correct: ArrayLike) -> tuple[Floats, Mask]:
    """Both as arrays of one shape (Q, K), each query with at least one correct candidate.

    Raises:
        UsageError: naming what does not fit.
    """
    table = checked(scores, "the scores", 2)
    mask = np.asarray(correct)
    if mask.dtype != np.bool_ or mask.shape != table.shape:
        raise UsageError(
            f"correct is {mask.dtype} of shape {mask.shape}; "
            f"booleans of the scores' shape {table.shape} are needed"
        )
    without = np.flatnonzero(~mask.any(axis=1))
    if len(without):
        raise UsageError(
            f"{len(without)} of {len(mask)} queries have no correct candidate, "
            f"the first is query {without[0]}"
        )
    return table, mask


def ranks(scores: ArrayLike, correct: ArrayLike) -> Ranks:
    """The rank (Q,) of each query's best correct candidate, from 1."""
    table, mask = validate(scores, correct)
    return _ranks(table, _best(table, mask))


def recall_at(ranks: ArrayLike, k: int) -> float:
    """R@k: percent of queries with a correct candidate among the first `k`."""
    if k < 1:
        raise UsageError(f"recall at {k} has no meaning; use 1 or more")
    return float(100 * (_checked(ranks) <= k).mean())


def chance_at(correct: int, candidates: int, k: int) -> float:
    """R@k of a random order, in percent, where so many of the candidates are correct."""
    k = min(k, candidates)
    return 100 * (1 - comb(candidates - correct, k) / comb(candidates, k))


def median_rank(ranks: ArrayLike) -> float:
    """The median; between two ranks their mean. The method's authors round it down."""
    return float(np.median(_checked(ranks)))


def medr_percent(ranks: ArrayLike, candidates: int) -> float:
    """MedR %: the median rank in percent of the candidates, comparable between galleries."""
    if candidates < 1:
        raise UsageError(f"a gallery of {candidates} candidates has no ranks")
    return 100 * median_rank(ranks) / candidates


def average_precision(scores: ArrayLike, correct: ArrayLike) -> Floats:
    """(Q,) mean over a query's correct candidates of the precision at their ranks; mean it: mAP.

    The i-th best correct candidate has rank i + the number of wrong ones strictly better than it.
    """
    table, mask = validate(scores, correct)
    result = np.empty(len(table))
    for query, (row, right) in enumerate(zip(table, mask, strict=True)):
        found = np.sort(row[right])[::-1]  # (correct,)
        wrong = np.sort(row[~right])
        better = len(wrong) - np.searchsorted(wrong, found, side="right")
        place = np.arange(1, len(found) + 1)
        result[query] = (place / (place + better)).mean()
    return result


def rank_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Spearman's correlation of two values (Q,) per query; ties share their mean rank.

    0 where either has no order.
    """
    x, y = _places(checked(a, "the values", 1)), _places(checked(b, "the other values", 1))
    if len(x) != len(y):
        raise UsageError(f"{len(x)} and {len(y)} values have no correlation; give one of each")
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum()) / scale if scale else 0.0


def _best(table: Floats, mask: Mask) -> Floats:
    """(Q,) the score of the best correct candidate."""
    return np.where(mask, table, -np.inf).max(axis=1)  # type: ignore[no-any-return]


def _ranks(table: Floats, best: Floats) -> Ranks:
    return 1 + (table > best[:, None]).sum(axis=1, dtype=np.int64)  # type: ignore[no-any-return]


def _checked(values: ArrayLike) -> Floats:
    found = checked(values, "the list of ranks", 1)
    if found.min() < 1:
        raise UsageError(f"a rank of {found.min():g} is impossible; ranks begin at 1")
    return found


def _places(values: Floats) -> Floats:
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[at]
