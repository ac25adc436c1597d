"""The rival: a plain two-tower tool, with arithmetic for the same moves of the same person.

Words are one point of the contrastive tower. The nearest result so far is added to it (Rocchio),
what was left or banned is subtracted, and a negative's own score is subtracted from every score.
Every look is at the next results.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gdr_model.search.whitening import unit
from gdr_model.steering import Steering
from gdr_model.types import Array, Method, Query
from training.evaluation.session.person import Move, Person
from training.evaluation.session.world import World

ROCCHIO = 1.0
"""Of the nearest result, or where several are pointed out, of the mean of all of them."""
AWAY = 0.5
"""Of the mean of the results that were left or banned; .3 and .5 were tried."""
SUBTRACTED = 0.5
"""Of a negative's score."""


@dataclass(frozen=True)
class TwoTower:
    """A contrastive tower and arithmetic."""

    world: World
    _read: dict[str, Array] = field(default_factory=dict, init=False, repr=False)

    def scores(self, person: Person) -> Array:
        """The score (R,) of every track."""
        moves, looks = person.moves, person.looks
        point = self._words(", ".join(person.typed))
        if person.nearest is not None and moves & {Move.NEAREST, Move.LIKE}:
            towards = [person.nearest]
            if Move.SECOND in moves:
                most = 3 if Move.THIRD in moves else 2
                towards = [one for look in looks for one in look.order[:most]]
            point = point + ROCCHIO * self._mean(towards)
        if looks and moves & {Move.PASSED, Move.BAN}:
            point = point - AWAY * self._mean([look.order[-1] for look in looks])
        scores = self._ranked(point)
        for text in person.negatives:
            away = np.float32(SUBTRACTED / len(person.negatives))
            scores = scores - away * self._ranked(self._words(text))
        return scores

    def _words(self, text: str) -> Array:
        """The tower's point (D,) of some words."""
        if text not in self._read:
            rows = self.world.retriever.drawer.rows(Steering(text), Method.CONTRASTIVE)
            self._read[text] = unit(rows[0])
        return self._read[text]

    def _mean(self, columns: list[int]) -> Array:
        """The mean (D,) of the points of some tracks."""
        tracks, drawer = self.world.gallery.tracks, self.world.retriever.drawer
        points = [drawer.point_of(str(tracks[one].path)) for one in columns]
        return np.asarray(np.mean(points, axis=0), np.float32)

    def _ranked(self, point: Array) -> Array:
        query = Query(unit(point[None]), Steering("-"))
        return self.world.gallery.scores(self.world.retriever, query)
