"""How near each passage is to words in general, which its score is corrected for.

In every library some passages are near to almost any words (hubs), and take places from those that
the words are about. A model can keep the mean draws b of many captions. With t a passage,

    common(t) = T ln mean_b exp(b . t / T)

is subtracted from its mean cosine to the draws of a prompt. This is a softmax over the captions
instead of over the passages: an inverted softmax (Smith et al., 2017), over a bank of captions as
in querybank normalisation (Bogolin et al., 2022). The tower's cosine is not corrected: the tower
finds less with a correction, the draws find more.

Shapes: B captions, N passages, D width.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import ModelError
from gdr_model.search.indexed.vectors import Vectors
from gdr_model.types import Array, Method, Query

if TYPE_CHECKING:
    from torch import Tensor

    from gdr_model.search.indexed.protocol import Index

TEMPERATURE = 0.07
_CHUNK = 4096
"""Passages that are multiplied with all captions at once."""


class CommonScores:
    """What draws lose for the passages of one library. Safe to use from several threads."""

    def __init__(self, points: Array | None) -> None:
        """Take the mean draws (B, D) of many captions in the search space, if a model has them."""
        self._points = points
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._known: Array = np.empty(0, np.float32)
        self._lock = threading.Lock()

    def of(self, query: Query, index: Index) -> Array | None:
        """What the draws of a query lose for every passage (N,); only new passages are computed.

        None if nothing is corrected: without captions, or for what is not drawn from words alone.
        """
        drawn = query.method == Method.GDR and query.steering.worded and not query.steering.edit
        if self._points is None or not drawn:
            return None
        with self._lock:
            ids, vectors = index.passages.ids, index.vectors
            if ids is self._ids:
                return self._known
            _, here, before = np.intersect1d(
                ids, self._ids, assume_unique=True, return_indices=True
            )
            found = np.full(len(ids), np.nan, np.float32)
            found[here] = self._known[before]
            new = np.flatnonzero(np.isnan(found))
            for at in range(0, len(new), _CHUNK):
                rows = new[at : at + _CHUNK]
                found[rows] = common(self._points, vectors, rows)
            self._ids, self._known = ids, found
            return found


def of_width(points: Tensor | None, dim: int) -> Array | None:
    """The captions' points that a model's file holds, if it holds any.

    Raises:
        ModelError: if they are not points (B, D) of `dim` numbers.
    """
    if points is None:
        return None
    if points.ndim != 2 or not len(points) or points.shape[1] != dim:
        raise ModelError(f"common_points is {tuple(points.shape)}; the model draws {dim} wide")
    return points.numpy()


def common(points: Array, vectors: Vectors, rows: NDArray[np.int64]) -> Array:
    """How near some passages (R,) are to the points (B, D) of captions in general."""
    alike = vectors.products(np.float32(1 / TEMPERATURE) * points, rows)  # (B, R)
    return np.asarray(TEMPERATURE * np.log(np.exp(alike, out=alike).mean(axis=0)), np.float32)
