"""The lists of every way, and the tables that compare them.

Rolls are ranked by the product's `Retriever`. The rivals have the same tracks, and the tower's
scores of them.

Shapes: P prompts, S rolls, R tracks, Q draws, D latent width, K tracks of a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from gdr_model.search.retriever import Retriever
from gdr_model.search.spread import LOOK, SHOWN, apart
from gdr_model.search.whitening import unit
from gdr_model.steering import Steering
from gdr_model.types import Array, Method, Query
from training import metrics
from training.evaluation.spread import fusions, rivals
from training.evaluation.spread.frontier import Frontier, more_moods, more_precise
from training.evaluation.spread.lists import Doubles, Figures, Judge, Rows
from training.evaluation.subjects import CPU, Subject, opened
from training.evaluation.tables import Cell, Table
from training.retrievers.together import queries

ROLLS = 8
SPREADS = (0.125, 0.25, 0.375, 0.5, 0.75, 1.0)
TEMPERATURES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.08)
AWAY = 0.1
"""How much nearness to what is taken counts in MMR."""
DPP_TEMPERATURES = (0.015, 0.02, 0.03, 0.04, 0.05)
GUIDANCES = (2.0, 3.0)
SHARES = (0.7, 0.5, 0.3, 0.1)
NEW = (0.3, 0.4, 0.5, 0.55)
"""Shares of a list that are new, at which ways are compared."""
Settings = Iterable[tuple[str, Rows]]
"""The settings of a way, with their lists."""
COLUMNS = ("precision %", "new %", "moods", "labels", "distance")


def spread(
    name: str,
    data: str,
    *,
    seed: int = 0,
    device: torch.device = CPU,
    on_progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Table], dict[str, Any]]:
    """All tables, and what they were made from.

    Raises:
        UsageError: if the set has no caption that enough tracks share.
        SpaceMismatch: if the set was extracted in another space than the model's.
    """
    with opened(name, data, device=device) as subject:
        lists = _Lists(subject, seed)
        judge = lists.judge
        on_progress("the tower and the closest list")
        fixed = {
            "the tower": lists.figures(lists.tower_lists()),
            "closest: all draws and the tower": lists.figures(lists.closest()),
        }
        ways = []
        for way, make in lists.ways().items():
            on_progress(way)
            settings = {setting: lists.figures(found) for setting, found in make()}
            ways.append(Frontier(way, settings))
        on_progress("one list from all draws")
        single = {way: lists.figures(found[:, None]) for way, found in lists.fused()}
        about = {
            "protocol": "spread",
            "model": subject.model.name,
            "data": data,
            "tracks": len(subject.gallery.tracks),
            "prompts": len(judge.asked),
            "labels": len(judge.labels),
            "list": judge.k,
            "rolls": ROLLS,
            "seed": seed,
        }
    tables = [
        _rolls(fixed, ways, judge.answers_apart(), about),
        _compared(fixed["the tower"], ways),
        _fusions(fixed, ways, single),
    ]
    return tables, about


class _Lists:
    """Makes the lists of every way for the prompts of one set."""

    def __init__(self, subject: Subject, seed: int) -> None:
        """Draw for every prompt once."""
        self._subject, self._seed = subject, seed
        self.judge = Judge.of(subject.captions, subject.right, _points(subject))
        self._prompts = [subject.captions[label] for label in self.judge.asked]
        # Every roll of a prompt has the same draws.
        self._retriever = Retriever(
            subject.model, [subject.gallery.library], remember=2 * len(self._prompts)
        )
        self._tower = np.stack(
            [
                self._scores(self._retriever.query(self._steering(prompt), Method.CONTRASTIVE))
                for prompt in self._prompts
            ]
        )  # (P, R)

    def _steering(self, prompt: str, **changes: Any) -> Steering:
        return self._subject.how.steering(prompt, self._seed).but(**changes)

    def figures(self, lists: Rows) -> Figures:
        """What lists (P, S, K) are like."""
        return self.judge.figures(lists)

    def tower_lists(self) -> Rows:
        """The tower's list (P, 1, K)."""
        return self.judge.top(self._tower)[:, None]

    def closest(self) -> Rows:
        """The closest lists (P, 2, K) of two seeds."""
        seeds = (self._seed, self._seed + 1)
        found = [
            [self._scores(self._query(prompt, seed=seed)) for seed in seeds]
            for prompt in self._prompts
        ]
        return self.judge.top(np.array(found))

    def ways(self) -> dict[str, Callable[[], Settings]]:
        """What makes the lists (P, S, K) of each way to roll, at each of its settings."""
        return {
            "rolls": self._rolls,
            "the tower, making room": self._tower_room,
            "Plackett-Luce": self._plackett_luce,
            "MMR": self._mmr,
            "k-DPP": self._k_dpp,
            **{f"one draw, guidance {g:g}": partial(self._one_draw, g) for g in GUIDANCES},
        }

    def _query(self, prompt: str, **steered: Any) -> Query:
        return self._retriever.query(self._steering(prompt, **steered))

    def _scores(self, query: Query) -> Array:
        """The score (R,) of every track."""
        return self._subject.gallery.scores(self._retriever, query)

    def _rolled(self, prompt: str, wide: float, roll: int) -> Rows:
        """The list (K,) of one roll."""
        query = self._retriever.after_lists(self._query(prompt, spread=wide, roll=roll))
        return self.judge.top(self._scores(query))

    def _rolls(self) -> Settings:
        for wide in SPREADS:
            lists = [
                [self._rolled(prompt, wide, roll) for roll in range(1, ROLLS + 1)]
                for prompt in self._prompts
            ]
            yield f"spread {wide:g}", np.array(lists)

    def _tower_room(self) -> Settings:
        for wide in SPREADS:
            lists = [
                rivals.making_room(scores, SHOWN * wide * self._apart(scores), self.judge.k, ROLLS)
                for scores in self._tower
            ]
            yield f"spread {wide:g}", np.stack(lists)

    def _apart(self, scores: Array) -> float:
        """How far the first tracks by some scores (R,) are apart."""
        return apart(self.judge.points[np.argsort(-scores, kind="stable")[:LOOK]])

    def _sampled(self, sample: Callable[..., Rows]) -> Rows:
        """Lists (P, S, K), each by a sample from the tower's scores (R,)."""
        random = np.random.default_rng(self._seed)
        return np.stack(
            [[sample(scores, random=random) for _ in range(ROLLS)] for scores in self._tower]
        )

    def _plackett_luce(self) -> Settings:
        for temperature in TEMPERATURES:
            sample = partial(rivals.plackett_luce, temperature=temperature, k=self.judge.k)
            yield f"temperature {temperature:g}", self._sampled(sample)

    def _mmr(self) -> Settings:
        for temperature in (0.0, *TEMPERATURES):
            sample = partial(
                rivals.mmr_roll,
                points=self.judge.points,
                temperature=temperature,
                away=AWAY,
                k=self.judge.k,
            )
            yield f"{AWAY:g} away, temperature {temperature:g}", self._sampled(sample)

    def _k_dpp(self) -> Settings:
        for temperature in DPP_TEMPERATURES:
            sample = partial(
                rivals.k_dpp, points=self.judge.points, temperature=temperature, k=self.judge.k
            )
            yield f"temperature {temperature:g}", self._sampled(sample)

    def _one_draw(self, guidance: float) -> Settings:
        steerings = [self._steering(prompt, guidance=guidance) for prompt in self._prompts]
        drawn = queries(self._retriever.drawer, steerings)
        for share in SHARES:
            lists = [
                [self.judge.top(self._by_point(point)) for point in _leaning(query, share)]
                for query in drawn
            ]
            yield f"tower's share {share:g}", np.array(lists)

    def _by_point(self, point: Array) -> Array:
        """The scores (R,) by one point (D,)."""
        return self._scores(Query(point[None], Steering("-")))

    def fused(self) -> Settings:
        """Lists (P, K) from all draws, one a prompt, by other ways than their mean."""
        k, points = self.judge.k, self.judge.points
        drawn = [self._query(prompt) for prompt in self._prompts]
        fused = [self._scores(query) for query in drawn]
        by_draw = [np.stack([self._by_point(d) for d in query.vectors]) for query in drawn]
        every = list(zip(drawn, fused, by_draw, strict=True))
        yield (
            "quota an interpretation",
            np.stack(
                [fusions.quota(query.vectors, scores, own, k) for query, scores, own in every]
            ),
        )
        for temperature in (0.02, 0.05):
            yield (
                f"greedy DPP, temperature {temperature:g}",
                np.stack([fusions.greedy_dpp(scores, points, temperature, k) for scores in fused]),
            )
        for counts in (1.0, 4.0):
            yield (
                f"coverage of the draws, weight {counts:g}",
                np.stack([fusions.coverage(scores, own, counts, k) for _, scores, own in every]),
            )


def _points(subject: Subject) -> Array:
    """The mean (R, D) of each track's passages, of length one."""
    index, gallery = subject.retriever.libraries[0].index, subject.gallery
    sums = np.zeros((len(gallery.tracks), index.vectors.shape[1]), np.float32)
    columns = np.array([gallery.column.get(c, -1) for c in index.passages.contents])
    np.add.at(sums, columns[columns >= 0], index.vectors[columns >= 0])
    return unit(sums)


def _leaning(query: Query, share: float) -> Array:
    """Each draw with a share of the tower's point (Q, D)."""
    anchor = np.zeros_like(query.vectors[:1]) if query.anchor is None else unit(query.anchor)
    return unit((1 - share) * unit(query.vectors) + share * anchor)


def _cells(figures: Figures) -> tuple[Cell, ...]:
    means = (100 * figures.precision, 100 * figures.new, figures.moods, figures.labels)
    return (*(float(values.mean()) for values in means), float(figures.apart.mean()))


def _rolls(
    fixed: dict[str, Figures], ways: Sequence[Frontier], answers: Doubles, about: dict[str, Any]
) -> Table:
    note = (
        f"{about['prompts']} prompts, {about['tracks']} tracks, lists of {about['list']}, "
        f"{ROLLS} rolls. New: the share of a list that another roll doesn't have. Moods, labels: "
        "how many besides what was asked for. Distance: 1 - mean cosine in a list. Follows: the "
        "rank correlation, over prompts, of how new lists are with the distance between tracks "
        "that have what was asked for."
    )
    table = Table("Rolls, by way and setting", (*COLUMNS, "follows"), note=note)
    for name, figures in fixed.items():
        table.add(name, *_cells(figures), "–")
    for way in ways:
        for setting, figures in way.settings.items():
            follows = metrics.rank_correlation(figures.new, answers)
            table.add(f"{way.name}: {setting}", *_cells(figures), follows)
    return table


def _compared(tower: Figures, ways: Sequence[Frontier]) -> Table:
    ours, *others = ways
    note = (
        "By how much more of a list is right than of one made as named, where both are so new, "
        "interpolated between settings. The tower's list is always the same. 95 % bootstrap over "
        "prompts, paired."
    )
    table = Table(
        "Precision of rolls minus each other way",
        tuple(f"{100 * new:.0f} % new" for new in NEW),
        note=note,
    )
    table.add("the tower, never new", *(more_precise(ours, tower.precision, n) for n in NEW))
    for other in others:
        table.add(other.name, *(more_precise(ours, other, new) for new in NEW))
    return table


def _fusions(
    fixed: dict[str, Figures], ways: Sequence[Frontier], single: dict[str, Figures]
) -> Table:
    note = "One list a prompt. The last row: rolls where they are as precise as the tower."
    table = Table("One list from all draws", ("precision %", *COLUMNS[2:]), note=note)
    for name, figures in (fixed | single).items():
        cells = _cells(figures)
        table.add(name, cells[0], *cells[2:])
    moods = more_moods(ways[0], fixed["the tower"])
    table.add("rolls, moods in times the tower's", "", moods, "", "")
    return table
