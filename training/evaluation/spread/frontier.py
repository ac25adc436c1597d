"""Ways to roll compared where they are equally new, or equally precise.

A way has a knob (a temperature, a spread): each of its settings is a point of a frontier. Between
two settings figures are interpolated, and intervals are bootstraps over prompts, of which every way
has the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training import metrics
from training.evaluation.spread.lists import Doubles, Figures, Rows
from training.metrics import Interval
from training.metrics.intervals import Statistic

RESAMPLES = 1000


@dataclass(frozen=True)
class Frontier:
    """A way to roll, at several settings of its knob."""

    name: str
    settings: dict[str, Figures]

    def reaches(self, new: float) -> bool:
        """Whether its settings are both less and more new."""
        means = [float(figures.new.mean()) for figures in self.settings.values()]
        return min(means) <= new <= max(means)

    def precision_at(self, new: float, prompts: Rows) -> float:
        """The precision over some prompts, where so much of a list is new."""
        return self._at(prompts, "new", new, "precision")

    def moods_at(self, precision: float, prompts: Rows) -> float:
        """How many moods a list has over some prompts, where so much of it is right."""
        return self._at(prompts, "precision", precision, "moods")

    def _at(self, prompts: Rows, known: str, value: float, asked: str) -> float:
        points = sorted(
            (float(getattr(f, known)[prompts].mean()), float(getattr(f, asked)[prompts].mean()))
            for f in self.settings.values()
        )
        xs, ys = zip(*points, strict=True)
        return float(np.interp(value, xs, ys))


def more_precise(
    ours: Frontier, theirs: Frontier | Doubles, new: float, resamples: int = RESAMPLES
) -> Interval | str:
    """How much more precise one way is than another, or than lists of a precision (P,).

    Both are compared where so much is new; a dash where one of them never is.
    """
    if not (ours.reaches(new) and (not isinstance(theirs, Frontier) or theirs.reaches(new))):
        return "–"

    def difference(sampled: Doubles) -> float:
        rows = sampled.astype(np.int64)
        if isinstance(theirs, Frontier):
            return ours.precision_at(new, rows) - theirs.precision_at(new, rows)
        return ours.precision_at(new, rows) - float(theirs[rows].mean())

    return _over_prompts(ours, difference, resamples)


def more_moods(ours: Frontier, tower: Figures, resamples: int = RESAMPLES) -> Interval:
    """How many times the moods of the tower's lists one way has where it is as precise."""

    def ratio(sampled: Doubles) -> float:
        rows = sampled.astype(np.int64)
        moods = ours.moods_at(float(tower.precision[rows].mean()), rows)
        return moods / max(float(tower.moods[rows].mean()), 1e-9)

    return _over_prompts(ours, ratio, resamples)


def _over_prompts(ways: Frontier, statistic: Statistic, resamples: int) -> Interval:
    count = len(next(iter(ways.settings.values())).new)
    rows = np.arange(count, dtype=np.float64)
    return metrics.interval(rows, statistic=statistic, resamples=resamples)
