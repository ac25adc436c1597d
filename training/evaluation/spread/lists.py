"""What lists of tracks are judged by: are they right, do they differ, what else do they hold.

Shapes: P prompts, S rolls of a prompt, K tracks of a list, L labels, R tracks, D latent width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import UsageError
from gdr_model.search.spread import apart
from gdr_model.types import Array
from training.words import vocabulary

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
Doubles = NDArray[np.float64]
LIST = 20
"""Tracks of a list; fewer where the gallery is small."""
OF_GALLERY = 15
"""A list has one track in so many at most: of a longer one, few are left to be new."""
MOODS = {
    f"{words.split('|')[0]} music"
    for name, words in vocabulary.MOODS.items()
    if name not in vocabulary.GENRES
}
"""Labels that are moods, as they are spelled in a set."""


@dataclass(frozen=True)
class Figures:
    """What the lists of each prompt are like (P,), as means over its rolls."""

    precision: Doubles
    """Share of a list that has what was asked for."""
    new: Doubles
    """Share of a list that another roll doesn't have."""
    moods: Doubles
    """How many moods, apart from what was asked for, a list has a track of."""
    labels: Doubles
    """The same of all labels."""
    apart: Doubles
    """1 - mean cosine between two tracks of a list."""


@dataclass(frozen=True)
class Judge:
    """The labels of a gallery, and the prompts that are labels of enough of its tracks."""

    labels: Mask  # (L, R)
    asked: Rows  # (P,) which labels are prompts
    moods: Mask  # (L,)
    points: Array  # (R, D) unit rows, one a track
    k: int

    @classmethod
    def of(cls, captions: Sequence[str], right: Mask, points: Array) -> Judge:
        """The judge of a set whose captions are labels, each `right` (L, R) for some tracks.

        Raises:
            UsageError: if no label has enough tracks for a list.
        """
        k = min(LIST, right.shape[1] // OF_GALLERY)
        asked = np.flatnonzero(right.sum(axis=1) >= max(k, 2))
        if k < 2 or not len(asked):
            raise UsageError(
                "lists are compared by labels; this set has no caption that enough tracks share"
            )
        moods = np.array([caption in MOODS for caption in captions], np.bool_)
        return cls(right, asked, moods, points, k)

    def top(self, scores: Array) -> Rows:
        """Scores (..., R) to lists (..., K)."""
        return np.argsort(-scores, axis=-1, kind="stable")[..., : self.k]

    def figures(self, lists: Rows) -> Figures:
        """Judge lists (P, S, K)."""
        rows = [self._of_prompt(label, own) for label, own in zip(self.asked, lists, strict=True)]
        return Figures(*np.array(rows).T)

    def answers_apart(self) -> Doubles:
        """How far the tracks that have what was asked for are apart (P,)."""
        found = [apart(self.points[self.labels[label]]) for label in self.asked]
        return np.array(found, np.float64)

    def _of_prompt(self, label: int, lists: Rows) -> tuple[float, ...]:
        held = self.labels[:, lists]  # (L, S, K)
        some: Mask = np.asarray(held.any(axis=2))
        some[label] = False
        return (
            float(held[label].mean()),
            _new(lists),
            float(some[self.moods].sum(axis=0).mean()),
            float(some.sum(axis=0).mean()),
            float(np.mean([apart(self.points[rows]) for rows in lists])),
        )


def _new(lists: Rows) -> float:
    """The mean share of one list (of S) that another one doesn't have; 0 for a single list."""
    sets = [set(own.tolist()) for own in lists]
    pairs = [(a, b) for i, a in enumerate(sets) for b in sets[:i]]
    return 1 - float(np.mean([len(a & b) / len(a) for a, b in pairs])) if pairs else 0.0
