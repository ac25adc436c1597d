"""Negatives: what is left of the negated and of the wanted under every way of negating.

Over pairs (wanted, negated) of attributes. In the top 20 (of a small gallery, the top quarter):

negated, wanted   the share of tracks that have each attribute
distance          1 - the mean cosine between two of the right tracks, those that have the wanted
                  attribute and lack the negated one
kinds             of 20 clusters of the gallery, how many the right tracks are from

Ways differ in how much a weight does, so they are compared where they have lost as much of the
wanted: each way's negated share, distance and kinds are interpolated along its weights. Rivals:
the sampler's own negative (`gdr_model.diffusion.guidance`), score minus the negated words' own
score, and prompt arithmetic. Shapes: N pairs, W weights, R gallery, M measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import UsageError
from gdr_model.search.clusters import clusters
from gdr_model.search.spread import apart
from gdr_model.types import Array
from training import metrics
from training.evaluation.baselines import arithmetic
from training.evaluation.steered import Steered
from training.evaluation.tables import Table

SEPARABLE = 0.4
"""Largest share of the wanted tracks that may have the negated attribute, too."""
KINDS = 20
KEPT = (95, 90)
"""Percent of the wanted share that are left where ways are compared."""
OURS = "negative"
WEIGHTS: Mapping[str, tuple[float, ...]] = {
    OURS: (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3),
    "in the sampler": (0.5, 1, 2),
    "score minus negated": (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 1),
    "prompt arithmetic": (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 1),
}
SHOWN: Mapping[str, tuple[float, ...]] = {
    OURS: (0.5, 1, 2),
    "in the sampler": (0.5, 1, 2),
    "score minus negated": (0.25, 0.5, 0.75),
    "prompt arithmetic": (0.5, 1),
}
NEGATED, WANTED, DISTANCE, COVERED = range(4)

Doubles = NDArray[np.float64]


def negatives(steered: Steered, top: int, pairs: int, seed: int, resamples: int) -> list[Table]:
    """Every way at some weights, and all ways at equal loss of the wanted."""
    task = Task(steered, top, seed)
    asked = task.asked()
    rng = np.random.default_rng(seed)
    chosen = [asked[i] for i in np.sort(rng.permutation(len(asked))[:pairs])]
    plain = task.measured(chosen, lambda want, _: task.scores[want])
    found = {
        way: np.stack([task.measured(chosen, task.at(way, weight)) for weight in weights])
        for way, weights in WEIGHTS.items()
    }
    note = f"Share of the top {top}; 95 % bootstrap over pairs. Distance and kinds are those of "
    note += "the right tracks: 1 - their mean cosine, and how many of 20 clusters they are from."
    table = Table(
        f"Negatives, {len(chosen)} pairs",
        ("negated %", "wanted %", "negated, of plain %", "wanted, of plain %", "distance", "kinds"),
        note=note,
    )
    rows = {"no negative": plain}
    for way, weights in SHOWN.items():
        named = {weight: found[way][WEIGHTS[way].index(weight)] for weight in weights}
        rows |= {f"{way}, {weight:g}": values for weight, values in named.items()}
    for name, values in rows.items():
        table.add(
            name,
            metrics.interval(values[:, NEGATED], resamples=resamples),
            metrics.interval(values[:, WANTED], resamples=resamples),
            100 * float(values[:, NEGATED].mean() / plain[:, NEGATED].mean()),
            100 * float(values[:, WANTED].mean() / plain[:, WANTED].mean()),
            float(values[:, DISTANCE].mean()),
            float(values[:, COVERED].mean()),
        )
    return [table, _at_equal_loss(plain, found, resamples)]


def _at_equal_loss(plain: Doubles, found: Mapping[str, Doubles], resamples: int) -> Table:
    table = Table(
        f"Negatives at equal loss of the wanted, {len(plain)} pairs",
        (
            *(f"negated at {kept} %" for kept in KEPT),
            *(f"first minus this at {kept} %" for kept in KEPT),
            f"distance at {KEPT[0]} %",
            f"kinds at {KEPT[0]} %",
        ),
        note="Negated, of plain %, where that much of the wanted is left; interpolated along the "
        "weights, over the same resampled pairs.",
    )

    def left(way: str, kept: float) -> Callable[[Doubles], float]:
        def statistic(rows: Doubles) -> float:
            at = rows.astype(np.int64)
            return float(at_equal_loss(plain[at], found[way][:, at], kept)[NEGATED])

        return statistic

    def minus(way: str, kept: float) -> Callable[[Doubles], float]:
        first, this = left(OURS, kept), left(way, kept)
        return lambda rows: first(rows) - this(rows)

    every = np.arange(len(plain))
    for way, walk in found.items():
        statistics = [left(way, kept) for kept in KEPT] + [minus(way, kept) for kept in KEPT]
        at = at_equal_loss(plain, walk, KEPT[0])
        table.add(
            way,
            *(metrics.interval(every, statistic=s, resamples=resamples) for s in statistics),
            float(at[DISTANCE]),
            float(at[COVERED]),
        )
    return table


def at_equal_loss(plain: Doubles, walk: Doubles, kept: float) -> Doubles:
    """The means (M,) of a walk (W, N, M) where a percentage of the wanted is left.

    The negated share is in percent of the plain one (N, M). A walk that never loses so much counts
    with its end.
    """
    means = np.concatenate([plain[None], walk]).mean(axis=1)
    means[:, [NEGATED, WANTED]] *= 100 / means[0, [NEGATED, WANTED]]
    below = np.flatnonzero(means[:, WANTED] < kept)
    if not len(below):
        return np.asarray(means[-1])
    before, after = means[below[0] - 1], means[below[0]]
    part = (before[WANTED] - kept) / (before[WANTED] - after[WANTED])
    return np.asarray(before + part * (after - before))


@dataclass(frozen=True)
class Task:
    """A retriever with what it answers to every attribute alone."""

    steered: Steered
    top: int
    seed: int

    @cached_property
    def plain(self) -> dict[str, Array]:
        """The one point (D,) of the query for each attribute."""
        s = self.steered
        return {name: s.retriever.centre(s.query(name, seed=self.seed)) for name in s.attributes}

    @cached_property
    def scores(self) -> dict[str, Array]:
        """The scores (R,) for each attribute."""
        s = self.steered
        return {name: s.scores(s.query(name, seed=self.seed)) for name in s.attributes}

    @cached_property
    def kinds(self) -> NDArray[np.int64]:
        """The cluster of each track (R,)."""
        return clusters(self.steered.sources, KINDS)

    def asked(self) -> list[tuple[str, str]]:
        """Pairs in which a negative has something to do, and can do it.

        Raises:
            UsageError: if there is none.
        """
        has = self.steered.attributes
        tops = {want: self._top(self.scores[want]) for want in has}
        found = [
            (want, negated)
            for want in has
            for negated in has
            if want != negated
            # Many, but not all, of the answers have it.
            and 0.25 <= has[negated][tops[want]].mean() <= 0.9
            and has[want][tops[want]].mean() >= 0.25
            # What nearly always comes with the wanted cannot be left out without leaving it.
            and (has[want] & has[negated]).sum() <= SEPARABLE * has[want].sum()
        ]
        if not found:
            raise UsageError("no prompt finds anything to negate; control needs a larger set")
        return found

    def at(self, way: str, weight: float) -> Callable[[str, str], Array]:
        """A way with a weight: wanted and negated words to scores (R,)."""
        s, plain, scores = self.steered, self.plain, self.scores

        def ours(want: str, no: str) -> Array:
            return s.scores(s.query(want, negatives=((no, weight),), seed=self.seed))

        def sampled(want: str, no: str) -> Array:
            return s.scores(s.pushed(want, no, weight, self.seed))

        def minus(want: str, no: str) -> Array:
            return np.asarray(scores[want] - weight * scores[no])

        def added(want: str, no: str) -> Array:
            return s.scores(s.at(arithmetic(plain[want][None], [(plain[no], -weight)])))

        return dict(zip(WEIGHTS, (ours, sampled, minus, added), strict=True))[way]

    def measured(
        self, pairs: Sequence[tuple[str, str]], way: Callable[[str, str], Array]
    ) -> Doubles:
        """The measures (N, M) of the lists for some pairs."""
        has = self.steered.attributes
        rows = []
        for want, no in pairs:
            top = self._top(way(want, no))
            right = top[has[want][top] & ~has[no][top]]
            rows.append(
                (
                    100 * has[no][top].mean(),
                    100 * has[want][top].mean(),
                    apart(self.steered.sources[right]),
                    len(np.unique(self.kinds[right])),
                )
            )
        return np.array(rows, np.float64)

    def _top(self, scores: Array) -> NDArray[np.int64]:
        return np.argsort(-scores, kind="stable")[: self.top]
