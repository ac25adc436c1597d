"""`gdr eval retrieval`: search a gallery for captions, with the `Retriever` of `gdr search`.

Every system that has a point in the search space is ranked by `Retriever`: gdr as it searches
(draws and tower fused), its parts, and the baselines of `training.evaluation.baselines`, which are
fitted on the training tracks and captions of the run. Every difference comes with a paired
bootstrap interval over tracks. Captions of several runs, the folds of a set, are counted together.

Shapes: P captions, R tracks, D latent width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import Cancelled
from gdr_model.search.clusters import clusters
from gdr_model.types import Array, Cancel, Method, Query, Steering, never
from training import metrics
from training.evaluation import baselines
from training.evaluation.subjects import Subject, subjects
from training.evaluation.tables import Table

GDR = "gdr, as gdr search ranks"
TOWER = "contrastive tower"
ALONE = "its draws alone"
GROUPS = "better interpretation", "better half"
COLUMNS = ("R@10", "R@1", "R@5", "median rank", "MedR %", "mAP %")
RESAMPLES = 5000
REPORTED_EVERY = 50
"""Captions between two reports of progress."""


@dataclass
class Answers:
    """Ranks and average precision of every caption under every system."""

    ranks: dict[str, list[int]] = field(default_factory=dict)
    precision: dict[str, list[float]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    """The track of each caption."""
    ambiguity: list[float] = field(default_factory=list)
    candidates: int = 0
    chance: list[float] = field(default_factory=list)
    """Per caption the percentage of random orders with a correct track among the first 10."""

    def put(self, system: str, scores: Array, correct: NDArray[np.bool_]) -> int:
        """Record the scores (R,) of one caption; returns its rank."""
        rank = int(metrics.ranks(scores[None], correct[None])[0])
        self.ranks.setdefault(system, []).append(rank)
        precision = float(metrics.average_precision(scores[None], correct[None])[0])
        self.precision.setdefault(system, []).append(precision)
        self.candidates = max(self.candidates, len(scores))
        if len(self.chance) < len(self.ranks[system]):
            self.chance.append(metrics.chance_at(int(correct.sum()), len(scores), 10))
        return rank

    def hits(self, system: str, k: int = 10) -> NDArray[np.float64]:
        """Per caption 100 where a correct track is among the first `k`, else 0."""
        return np.where(np.array(self.ranks[system]) <= k, 100.0, 0.0)

    def precisions(self, system: str) -> NDArray[np.float64]:
        """Per caption the average precision in percent."""
        return 100 * np.array(self.precision[system])


def retrieval(
    names: Sequence[str],
    *,
    data: str = "",
    seed: int = 0,
    resamples: int = RESAMPLES,
    on_progress: Callable[[str], None] = lambda _: None,
    cancelled: Cancel = never,
) -> tuple[list[Table], dict[str, Any]]:
    """All tables, and what they were made from.

    `names` are finished runs, or, with the captioned set `data`, models too.

    Raises:
        UsageError: if no name is given.
        RunError: if a name is no finished run.
        Cancelled: between captions, if `cancelled` says so.
    """
    answers, how = Answers(), {}
    for subject in subjects(names, data):
        search_captions(subject, answers, seed, on_progress, cancelled)
        how = {**vars(subject.how), "anchor_share": subject.model.config.anchor_share}
    about = {
        "protocol": "retrieval",
        "subjects": list(names),
        "data": data,
        "queries": len(answers.groups),
        "candidates": answers.candidates,
        "seed": seed,
        "draw": how,
    }
    return tables(answers, resamples), about


def search_captions(
    subject: Subject,
    answers: Answers,
    seed: int,
    on_progress: Callable[[str], None] = lambda _: None,
    cancelled: Cancel = never,
    points: Mapping[str, Array] | None = None,
) -> None:
    """Search for the captions of a subject under every system, and add the answers.

    `points` has unit vectors (P, D) for the captions by further systems; a run has its own.
    """
    points = points or {}
    named: Array | None = None
    if subject.run is not None:
        on_progress(f"{subject.name}: fitting the baselines")
        points = baselines.points(subject.run, subject.corpus)
        named = baselines.class_scores(subject.run, subject.corpus)
    captions, correct = subject.captions, subject.corpus.correct(subject.chosen)
    for row, (caption, right) in enumerate(zip(captions, correct, strict=True)):
        if cancelled():
            raise Cancelled("the evaluation was stopped")
        if row % REPORTED_EVERY == 0:
            on_progress(f"{subject.name}: {row} of {len(captions)} captions")
        steering = subject.how.steering(caption, seed)
        if subject.model.networks is not None:
            _search_drawn(subject, answers, steering, right)
        tower = subject.retriever.query(steering, Method.CONTRASTIVE)
        answers.put(TOWER, subject.scores(tower), right)
        for system, vectors in points.items():
            scores = subject.scores(Query(vectors[row : row + 1], steering))
            answers.put(system, scores, right)
            if system == baselines.RIDGE and named is not None:
                half = baselines.mixed(scores[None], named[row][None])[0]
                answers.put(baselines.HALF_NAMES, half, right)
        if named is not None:
            answers.put(baselines.NAMES, named[row], right)
    answers.groups += subject.groups


def _search_drawn(
    subject: Subject, answers: Answers, steering: Steering, right: NDArray[np.bool_]
) -> None:
    """One caption under gdr and its parts."""
    query = subject.retriever.query(steering)
    answers.put(GDR, subject.scores(query), right)
    drawn = replace(query, anchor=None)
    if query.anchor is not None:
        answers.put(ALONE, subject.scores(drawn), right)
    one = replace(drawn, vectors=query.vectors[:1])
    answers.put("one draw", subject.scores(one), right)
    step = replace(subject.retriever.query(steering.but(steps=1)), anchor=None)
    answers.put("draws of one step", subject.scores(step), right)
    count = len(query.vectors)
    if count < 2:
        return
    gram = query.vectors @ query.vectors.T
    answers.ambiguity.append(1 - float((gram.sum() - np.trace(gram)) / (count * (count - 1))))
    for system, parts in zip(GROUPS, (clusters(query.vectors), np.arange(count) % 2), strict=True):
        scores = [
            subject.scores(replace(drawn, vectors=query.vectors[parts == part]))
            for part in np.unique(parts)
        ]
        ranks = metrics.ranks(np.stack(scores), np.repeat(right[None], len(scores), 0))
        answers.put(system, scores[int(ranks.argmin())], right)


def tables(answers: Answers, resamples: int = RESAMPLES) -> list[Table]:
    """Every system, the first one's lead on each other, and the cloud of draws."""
    systems = Table(
        f"Retrieval, {len(answers.groups)} captions among {answers.candidates} tracks",
        COLUMNS,
        note="R@10 with 95 % bootstrap intervals over tracks. "
        f"Chance is {np.mean(answers.chance):.1f} %.",
    )
    shown = [system for system in answers.ranks if system not in GROUPS]
    first, *others = sorted(shown, key=lambda system: system != GDR)
    for system in (first, *others):
        ranks = answers.ranks[system]
        systems.add(
            system,
            metrics.interval(answers.hits(system), groups=answers.groups, resamples=resamples),
            metrics.recall_at(ranks, 1),
            metrics.recall_at(ranks, 5),
            metrics.median_rank(ranks),
            metrics.medr_percent(ranks, answers.candidates),
            float(answers.precisions(system).mean()),
        )
    lead = Table(
        f"{first} minus each other system",
        ("R@10", "mAP %"),
        note="Paired bootstrap over tracks; above 0 the first is better.",
    )
    for system in others:
        pairs = (answers.hits, answers.precisions)
        lead.add(
            system,
            *(
                metrics.difference_interval(
                    of(first), of(system), groups=answers.groups, resamples=resamples
                )
                for of in pairs
            ),
        )
    found = [systems, lead] if others else [systems]
    return [*found, cloud(answers)] if answers.ambiguity else found


def cloud(answers: Answers) -> Table:
    """What the spread of the draws says of a caption, and whether it has interpretations."""
    table = Table(
        "The cloud of draws",
        ("value",),
        note="Interpretations: two clusters of the draws, the better one chosen afterwards; halves "
        "are a split that means nothing.",
    )
    spread = np.array(answers.ambiguity)
    table.add("ambiguity (1 - mean cosine between draws)", float(spread.mean()))
    ranks = np.array(answers.ranks[GDR], np.float64)
    table.add("its rank correlation with the rank", metrics.rank_correlation(spread, ranks))
    for system in GROUPS:
        table.add(f"R@10 %, {system}", metrics.recall_at(answers.ranks[system], 10))
    return table
