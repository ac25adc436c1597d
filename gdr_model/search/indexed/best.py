"""The best of the rows that were proposed, by their exact scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gdr_model.search.indexed.vectors import Rows, Vectors
from gdr_model.types import Array


class Best:
    """The k best rows of each query."""

    def __init__(self, queries: int, k: int) -> None:
        self.rows: Rows = np.empty((queries, k), np.int64)
        self.scores: Array = np.empty((queries, k), np.float32)

    def put(self, query: int, scores: Array, rows: Rows) -> None:
        """Keep the best of these rows of one query; of equal scores the lowest rows."""
        k = self.rows.shape[1]
        if k < len(scores):
            least = np.partition(scores, len(scores) - k)[len(scores) - k]
            near = np.flatnonzero(scores >= least)
            scores, rows = scores[near], rows[near]
        order = np.lexsort((rows, -scores))[:k]
        self.rows[query], self.scores[query] = rows[order], scores[order]


def best_of(
    vectors: Vectors, queries: Array, k: int, near: Sequence[Rows], *, same: bool
) -> tuple[Rows, Array]:
    """The k best of the rows proposed for each query, and their cosines, both (Q, k).

    Args:
        vectors: the exact vectors.
        queries: unit rows (Q, D).
        k: at most as many as every query has proposals.
        near: for each query its rows, sorted.
        same: whether all of them have the same rows.
    """
    best = Best(len(queries), k)
    union = near[0] if same else np.unique(np.concatenate(near))
    scores = vectors.cosines(queries, union)
    for query, proposals in enumerate(near):
        at = np.searchsorted(union, proposals)
        best.put(query, scores[query, at], proposals)
    return best.rows, best.scores
