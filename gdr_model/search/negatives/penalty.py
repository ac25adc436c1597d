"""What a negative takes from the score of every passage of a library.

With c the cosine of a passage to the tower's point for the negated words, and m and s the mean and
the deviation of c over all passages of the library, a passage is nearer to the words than usual by

    e = max(0, c - m),    and its penalty is    weight * (e^2 + E^2) / 2s,

E being the greatest e of its recording: who asks for no drums wants a passage without them, in a
recording without them. Nothing is added for being far from the words, unlike subtracting c, which
prefers what is unlike the negated words to what is like the wanted ones; and a passage that is a
little nearer than usual loses little, while one that clearly has what is negated cannot rank.
`gdr eval control` compares the two.

Shapes: N passages, P negatives, D latent width.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gdr_model.search.indexed.vectors import Vectors
from gdr_model.store.records import Contents
from gdr_model.types import Array, Query

REMEMBERED = 16
"""Negatives whose penalties are kept; one takes 1.5 MB at 370,000 passages."""

Recordings = NDArray[np.int64]
"""(N,) which recording, or section of one, each passage belongs to, from 0."""


class NegativePenalties:
    """The penalties of the passages of one library. Safe to use from several threads."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._kept: OrderedDict[bytes, Array] = OrderedDict()
        self._recordings: Recordings = np.empty(0, np.int64)
        self._of: weakref.ref[Vectors] | None = None
        """What all that is of; it must not stay in memory once the library has others."""
        self._lock = threading.Lock()

    def of(
        self, query: Query, contents: Contents, sections: NDArray[np.int64], vectors: Vectors
    ) -> Array:
        """What each negative of a query takes (P, N) from the scores of passages (N, D).

        Args:
            query: its negatives, with their points.
            contents: the recording of each passage.
            sections: the section of it that the passage belongs to.
            vectors: the passages.
        """
        if query.negated is None:
            return np.zeros((0, len(vectors)), np.float32)
        with self._lock:
            if self._of is None or self._of() is not vectors:
                several = int(sections.max(initial=0)) + 1
                self._recordings = numbered(contents.codes * several + sections)
                self._kept.clear()
                self._of = weakref.ref(vectors)
            rows = [self._penalties(point, vectors) for point in query.negated]
        weights = np.array([n.weight for n in query.steering.avoided], np.float32)
        return weights[:, None] * np.stack(rows)

    def _penalties(self, point: Array, vectors: Vectors) -> Array:
        key = point.tobytes()
        if key not in self._kept:
            self._kept[key] = penalties(vectors @ point, self._recordings)
            if len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        return self._kept[key]


def penalties(cosines: Array, recordings: Recordings) -> Array:
    """The penalty (N,) at weight 1 of passages by their cosines (N,) to the negated words."""
    if not len(cosines):
        return cosines
    usual, deviation = float(cosines.mean()), float(cosines.std())
    squares = np.square(np.maximum(cosines - np.float32(usual), 0))
    worst = np.zeros(recordings.max() + 1, np.float32)
    np.maximum.at(worst, recordings, squares)
    halves = (squares + worst[recordings]) / 2
    return np.asarray(halves / max(deviation, 1e-6), np.float32)


def numbered(recordings: ArrayLike) -> Recordings:
    """Equal ones get equal numbers, from 0."""
    return np.asarray(np.unique(np.asarray(recordings), return_inverse=True)[1], np.int64)
