"""`gdr eval retrieval`: search a gallery for captions, with the `Retriever` of `gdr search`.

The first row is what `gdr search --model` finds: its draws, fused with the tower. Every other
system that has a point in the search space is ranked by `Retriever` too: gdr's parts, and the
baselines (`training.evaluation.fitted`), which are fitted on the training tracks and captions of
the run. The teacher, where a pair compares words and sound itself, is ranked in its own space.
Every difference comes with a paired bootstrap interval over tracks. Captions of several runs, the
folds of a set, are counted together.

Shapes: P captions, R tracks, Q draws, D latent width.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gdr_model.diffusion.denoisers import POOLED
from gdr_model.errors import Cancelled, UsageError
from gdr_model.search.clusters import clusters
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.steering import Steering
from gdr_model.types import Array, Cancel, Method, Query, never
from training import metrics
from training.evaluation import baselines, fitted, teacher
from training.evaluation.subjects import CPU, Subject, subjects
from training.evaluation.tables import Table
from training.retrievers.gallery import Gallery, gallery
from training.retrievers.together import queries
from training.runs.config import DrawConfig

GDR = "gdr, as gdr search ranks"
TOWER = "contrastive tower"
ALONE = "its draws alone"
UNCORRECTED = "gdr without the correction of its draws"
UNNAMED = "gdr without the classes that words name"
TOWER_NAMED = "contrastive tower with those classes"
TEACHER = "teacher: its own text × its own audio"
GROUPS = "better interpretation", "better half"
COLUMNS = ("R@10", "R@1", "R@5", "median rank", "MedR %", "mAP %")
RESAMPLES = 5000
AT_ONCE = 64
"""Captions that are searched for between two reports of progress."""


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

    notes: list[str] = field(default_factory=list)
    """What was left out of each set, or repeats."""

    def put(
        self,
        system: str,
        scores: Array,
        correct: NDArray[np.bool_],
        known: NDArray[np.bool_] | None = None,
    ) -> int:
        """Record the scores (R,) of one caption; returns its rank.

        Tracks that are `known` (R,) to answer it, because they were trained on, do not compete.
        """
        if known is not None and known.any():
            scores, correct = scores[~known], correct[~known]
        rank = int(metrics.ranks(scores[None], correct[None])[0])
        self.ranks.setdefault(system, []).append(rank)
        precision = float(metrics.average_precision(scores[None], correct[None])[0])
        self.precision.setdefault(system, []).append(precision)
        self.candidates = max(self.candidates, len(scores))
        if len(self.chance) < len(self.ranks[system]):
            self.chance.append(metrics.chance_at(int(correct.sum()), len(scores), 10))
        return rank

    def add(self, system: str, other: Answers, theirs: str) -> None:
        """Add a system of other runs that searched for the same captions.

        Raises:
            UsageError: if they searched for other captions.
        """
        if other.groups != self.groups:
            raise UsageError(f"{theirs} holds out other captions: compare runs of the same folds")
        self.ranks[f"{system}, {theirs}"] = other.ranks[system]
        self.precision[f"{system}, {theirs}"] = other.precision[system]

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
    wanted: Collection[str] = fitted.NAMES,
    against: str = "",
    only_new: bool = False,
    seed: int = 0,
    device: torch.device = CPU,
    resamples: int = RESAMPLES,
    on_progress: Callable[[str], None] = lambda _: None,
    cancelled: Cancel = never,
) -> tuple[list[Table], dict[str, Any]]:
    """All tables, and what they were made from.

    `names` are finished runs, or, with the captioned set `data`, models too; `wanted` are the
    baselines (`fitted.NAMES`). `against` is a folder with a run of the same name as each of them,
    whose search and tower are rows too. With `only_new`, tracks that were trained on do not
    compete.

    Raises:
        UsageError: if no name is given, or the other runs hold out other captions.
        RunError: if a name is no finished run.
        Cancelled: between captions, if `cancelled` says so.
    """
    answers, shares = Answers(), []
    for subject in subjects(names, data, device):
        search_captions(
            subject, answers, seed, on_progress, cancelled, wanted=wanted, only_new=only_new
        )
        shares.append(subject.model.config.anchor_share)
    if against:
        other, called = Answers(), Path(against).name
        for subject in subjects([str(Path(against) / Path(n).name) for n in names], data, device):
            search_captions(
                subject,
                other,
                seed,
                on_progress,
                cancelled,
                wanted=("tower",),
                parts=False,
                only_new=only_new,
            )
        for system in (GDR, TOWER):
            answers.add(system, other, called)
    about = {
        "protocol": "retrieval",
        "subjects": list(names),
        "data": data,
        "against": against,
        "only_new": only_new,
        "queries": len(answers.groups),
        "candidates": answers.candidates,
        "chance": float(np.mean(answers.chance)),
        "notes": answers.notes,
        "seed": seed,
        "draw": {**vars(DrawConfig()), "anchor_share": shares},
    }
    return tables(answers, resamples), about


def search_captions(
    subject: Subject,
    answers: Answers,
    seed: int,
    on_progress: Callable[[str], None] = lambda _: None,
    cancelled: Cancel = never,
    points: Mapping[str, Array] | None = None,
    wanted: Collection[str] = fitted.NAMES,
    parts: bool = True,
    only_new: bool = False,
) -> None:
    """Search for the captions of a subject under every system, and add the answers.

    `points` has unit vectors (P, D) for the captions by further systems; a run has its own, those
    that are `wanted`. `parts` are the parts of gdr: its draws alone, some of them, a single step.
    With `only_new`, tracks that were trained on do not compete.
    """
    points, named = dict(points or {}), None
    if subject.trained is not None:
        on_progress(f"{subject.name}: fitting the baselines")
        text = subject.embedding(subject.trained.run.config.network["kind"] not in POOLED)
        points |= fitted.points(subject.trained, text, wanted)
        if subject.run is not None and "classes" in wanted:
            division = subject.trained.division
            named = baselines.class_scores(subject.run, subject.corpus, division)
    search = _Search(subject, answers, points, named, frozenset(wanted), parts)
    if only_new and subject.new is not None:
        search.known = search.known | ~subject.new
    with search.teacher():
        count = len(subject.captions)
        for first in range(0, count, AT_ONCE):
            if cancelled():
                raise Cancelled("the evaluation was stopped")
            on_progress(f"{subject.name}: {first} of {count} captions")
            search.answer(range(first, min(count, first + AT_ONCE)), seed)
    answers.groups += subject.groups
    answers.notes += [subject.note] * (bool(subject.note) and subject.note not in answers.notes)


class _Search:
    """The captions of a subject, searched for under every system."""

    def __init__(
        self,
        subject: Subject,
        answers: Answers,
        points: Mapping[str, Array],
        named: Array | None,
        wanted: frozenset[str],
        parts: bool,
    ) -> None:
        self.parts = parts
        self.subject, self.answers, self.points, self.named = subject, answers, points, named
        self.wanted = wanted
        self.captions, self.right, self.known = subject.captions, subject.right, subject.known
        self._own: tuple[Retriever, Gallery, Array] | None = None

    @contextmanager
    def teacher(self) -> Iterator[None]:
        """While this is open, the teacher is a system, if there is one and it is wanted."""
        corpus, space = self.subject.corpus, self.subject.corpus.space
        if "teacher" not in self.wanted or space is None or not teacher.shares_a_space(corpus):
            yield
            return
        with gallery(corpus.tracks, corpus.latents, space) as tracks:
            texts = unit(corpus.texts.of(corpus.caption_of[self.subject.chosen], False).pooled)
            self._own = teacher.retriever(tracks, space), tracks, texts
            yield

    def answer(self, rows: range, seed: int) -> None:
        """Search for the captions of some rows."""
        subject, searched = self.subject, DrawConfig()
        steerings = [searched.steering(self.captions[row], seed) for row in rows]
        if subject.model.networks is not None:
            drawn = queries(subject.retriever.drawer, steerings)
            for row, query in zip(rows, drawn, strict=True):
                self._put(GDR, row, subject.scores(query))
                if self.parts and subject.model.common_points is not None:
                    scores = subject.gallery.scores(subject.retriever, query, corrected=False)
                    self._put(UNCORRECTED, row, scores)
            if self.parts:
                self._parts_of(rows, steerings, drawn)
                if subject.model.networks.contrastive.named is not None:
                    self._named(rows, drawn)
            if self.parts and subject.how != searched:
                own = [subject.how.steering(self.captions[row], seed) for row in rows]
                for row, query in zip(rows, queries(subject.retriever.drawer, own), strict=True):
                    alone = replace(query, anchor=None)
                    self._put(own_row(subject.how), row, subject.scores(alone))
            if "tower" in self.wanted:
                for row, steering in zip(rows, steerings, strict=True):
                    tower = subject.retriever.query(steering, Method.CONTRASTIVE)
                    self._put(TOWER, row, subject.scores(tower))
        for row, steering in zip(rows, steerings, strict=True):
            self._compared(row, steering)

    def _compared(self, row: int, steering: Steering) -> None:
        """One caption under the teacher and every fitted baseline."""
        if self._own is not None:
            retriever, tracks, texts = self._own
            query = Query(texts[row : row + 1], steering)
            self._put(TEACHER, row, tracks.scores(retriever, query))
        for system, vectors in self.points.items():
            point = Query(vectors[row : row + 1], steering, Method.CONTRASTIVE)
            scores = self.subject.scores(point)
            self._put(system, row, scores)
            if system == baselines.RIDGE and self.named is not None:
                half = baselines.mixed(scores[None], self.named[row][None])[0]
                self._put(baselines.HALF_NAMES, row, half)
        if self.named is not None:
            self._put(baselines.NAMES, row, self.named[row])

    def _parts_of(
        self, rows: range, steerings: Sequence[Steering], queried: Sequence[Query]
    ) -> None:
        """Captions under the parts of gdr."""
        drawer, scored = self.subject.retriever.drawer, self.subject.scores
        single = queries(drawer, [steering.but(steps=1) for steering in steerings])
        for row, query, step in zip(rows, queried, single, strict=True):
            drawn = replace(query, anchor=None)
            if query.anchor is not None:
                self._put(ALONE, row, scored(drawn))
            self._put("one draw", row, scored(replace(drawn, vectors=query.vectors[:1])))
            self._put("draws of one step", row, scored(replace(step, anchor=None)))
            self._interpreted(row, drawn)

    def _named(self, rows: range, queried: Sequence[Query]) -> None:
        """Captions without the classes that words name, and with them but without draws."""
        for row, query in zip(rows, queried, strict=True):
            tower = self.subject.retriever.query(query.steering, Method.CONTRASTIVE)
            self._put(UNNAMED, row, self.subject.scores(replace(query, anchor=tower.vectors)))
            if query.anchor is not None:
                point = replace(tower, vectors=query.anchor)
                self._put(TOWER_NAMED, row, self.subject.scores(point))

    def _interpreted(self, row: int, drawn: Query) -> None:
        """How much the draws differ, and what the better of two groups of them finds."""
        count, vectors = len(drawn.vectors), drawn.vectors
        if count < 2:
            return
        gram = vectors @ vectors.T
        spread = 1 - float((gram.sum() - np.trace(gram)) / (count * (count - 1)))
        self.answers.ambiguity.append(spread)
        for system, parts in zip(GROUPS, (clusters(vectors), np.arange(count) % 2), strict=True):
            scores = np.stack(
                [
                    self.subject.scores(replace(drawn, vectors=vectors[parts == part]))
                    for part in np.unique(parts)
                ]
            )
            ranks = metrics.ranks(scores, np.repeat(self.right[row][None], len(scores), 0))
            self._put(system, row, scores[int(ranks.argmin())])

    def _put(self, system: str, row: int, scores: Array) -> None:
        self.answers.put(system, scores, self.right[row], self.known[row])


def own_row(how: DrawConfig) -> str:
    """The row of draws that are made as a run's configuration says."""
    return f"draws alone, {how.draws} of {how.steps} steps at guidance {how.guidance:g}"


def tables(answers: Answers, resamples: int = RESAMPLES) -> list[Table]:
    """Every system, the first one's lead on each other, and the cloud of draws."""
    systems = Table(
        f"Retrieval, {len(answers.groups)} captions among {answers.candidates} tracks",
        COLUMNS,
        note=" ".join(
            [
                "R@10 with 95 % bootstrap intervals over tracks. "
                f"Chance is {np.mean(answers.chance):.1f} %.",
                *answers.notes,
            ]
        ),
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
