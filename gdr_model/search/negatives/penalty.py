"""What a negative takes from the score of every passage of a library.

With c the cosine of a passage to the tower's point for the negated words, q that to the point of
the wanted ones, s the deviation of c over all passages of the library, w the weight, and c and q
counted from their means over the library, a passage is nearer to the negated words than usual by

    e = max(0, c - b max(0, q) / (1 + 2w)),    b = max(0, cov(c, q) / var(q)),

and its penalty is w (e^2 + E^2) / s, E being the greatest e of its recording: who asks for no drums
wants a passage without them, in a recording without them. Music that is near to the wanted words
is often near to the negated ones for that reason alone, b q on average; so much is excused, but
less of it by a heavy negative. Nothing is added for being far from the negated words, unlike
subtracting c, which prefers what is unlike them to what is like the wanted ones; and a passage that
is a little nearer than usual loses little, while one that clearly has what is negated cannot rank.
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
        self._kept: OrderedDict[tuple[bytes, bytes, float], Array] = OrderedDict()
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
        wanted = query.vectors.mean(axis=0) if query.anchor is None else query.anchor[0]
        asked = zip(query.negated, query.steering.avoided, strict=True)
        with self._lock:
            if self._of is None or self._of() is not vectors:
                several = int(sections.max(initial=0)) + 1
                self._recordings = numbered(contents.codes * several + sections)
                self._kept.clear()
                self._of = weakref.ref(vectors)
            rows = [self._penalties(point, wanted, n.weight, vectors) for point, n in asked]
        return np.stack(rows)

    def _penalties(self, negated: Array, wanted: Array, weight: float, vectors: Vectors) -> Array:
        key = negated.tobytes(), wanted.tobytes(), weight
        if key not in self._kept:
            c, q = vectors.products(np.stack([negated, wanted]))
            self._kept[key] = penalties(c, q, weight, self._recordings)
            if len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)
        return self._kept[key]


def penalties(negated: Array, wanted: Array, weight: float, recordings: Recordings) -> Array:
    """The penalty (N,) of passages by their cosines (N,) to the negated and the wanted words."""
    if not len(negated):
        return negated
    deviation, c, q = float(negated.std()), negated - negated.mean(), wanted - wanted.mean()
    along = max(0.0, float(c @ q) / max(float(q @ q), 1e-9))
    excused = np.float32(along / (1 + 2 * weight)) * np.maximum(q, 0)
    squares = np.square(np.maximum(c - excused, 0))
    worst = np.zeros(recordings.max() + 1, np.float32)
    np.maximum.at(worst, recordings, squares)
    return np.asarray(weight * (squares + worst[recordings]) / max(deviation, 1e-6), np.float32)


def numbered(recordings: ArrayLike) -> Recordings:
    """Equal ones get equal numbers, from 0."""
    return np.asarray(np.unique(np.asarray(recordings), return_inverse=True)[1], np.int64)
