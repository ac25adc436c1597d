"""`gdr eval retrieval`: the captions of held-out tracks, asked of the whole gallery.

Given the folders of runs. Runs that hold out the same part are an ensemble: their draws are put
together and their anchors averaged. Runs of other parts (the folds of a set) ask other queries,
which are counted together. Beside generation stand the baselines of
`training.evaluation.baselines`, fitted on the same training tracks and captions, and every
difference comes with a paired bootstrap interval over tracks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gdr_model.errors import Cancelled, UsageError
from gdr_model.search.clusters import clusters
from gdr_model.types import Array, Cancel, TextEmbedding, never
from training import metrics
from training.data.corpus import Corpus, read_corpus
from training.data.texts import Texts, embed
from training.evaluation import baselines, fusion, interpretations
from training.evaluation.drawing import Drawer
from training.evaluation.tables import Table
from training.runs.batches import Pairs
from training.runs.config import RULES, DataConfig, RunConfig
from training.runs.space import Space
from training.runs.state import RunError, load_model

GDR = "gdr"
ANCHOR_DRAWS = 4
PLAIN = {
    "ridge": "ridge, people's captions",
    "ridge_written": "ridge, written ones too",
    "ridge_names": "ridge, half class names",
    "regression": "one-step regression",
    "contrastive": "contrastive two-tower",
    "names": "class names, no training",
    "ridge_ratio": "ridge, written ones too; ratio",
    "regression_ratio": "one-step regression; ratio",
    "contrast": "one-step regression, contrast",
    "contrast_ratio": "one-step regression, contrast; ratio",
}


@dataclass
class Found:
    """Average precision and rank of every query under every system, over all folds."""

    ranks: dict[str, list[NDArray[np.int64]]] = field(default_factory=dict)
    precision: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    ambiguity: list[NDArray[np.float64]] = field(default_factory=list)
    candidates: int = 0

    def put(self, name: str, scores: Array, correct: NDArray[np.bool_]) -> None:
        """Take in one fold of one system."""
        self.ranks.setdefault(name, []).append(metrics.ranks(scores, correct))
        ap = metrics.average_precision(scores, correct)
        self.precision.setdefault(name, []).append(ap)
        self.candidates = max(self.candidates, scores.shape[1])

    def of(self, name: str) -> NDArray[np.int64]:
        """Ranks of all queries under a system."""
        return np.concatenate(self.ranks[name])


@dataclass(frozen=True)
class Fold:
    """A finished run with what it is asked."""

    config: RunConfig
    folder: Path
    corpus: Corpus
    part: str
    space: Space
    explained: Array  # (D,), mean over the ensemble
    drawers: tuple[Drawer, ...]
    text: TextEmbedding  # (P, ...)
    correct: NDArray[np.bool_]  # (P, R)
    gallery: Array  # (R, D) standardised
    items: NDArray[np.bool_]  # (I,)


def open_folds(folders: Sequence[Path], data: str = "") -> list[Fold]:
    """Read runs and their corpora; `data` replaces the path they were trained on."""
    corpora: dict[DataConfig, Corpus] = {}
    found: dict[tuple[DataConfig, str], Fold] = {}
    counts: dict[tuple[DataConfig, str], int] = {}
    for folder in folders:
        fold = _open(folder, corpora, data)
        key = fold.config.data, fold.part
        if key in found:
            first, n = found[key], counts[key]
            fold = replace(
                first,
                explained=np.asarray((n * first.explained + fold.explained) / (n + 1)),
                drawers=(*first.drawers, *fold.drawers),
            )
        found[key], counts[key] = fold, counts.get(key, 0) + 1
    return list(found.values())


def _open(folder: Path, corpora: dict[DataConfig, Corpus], data: str) -> Fold:
    run = load_model(folder)
    config, part, space = run.config, run.part, run.space
    if data:
        config = replace(config, data=replace(config.data, path=data))
    if config.data not in corpora:
        corpora[config.data] = read_corpus(config.data)
    corpus = corpora[config.data]
    if corpus.latents[0].shape[1] != len(space.mean):
        raise RunError(f"{folder} was trained on latents {len(space.mean)} wide, not of this set")
    _, items = corpus.held_out(part)
    if not items.any():
        raise UsageError(f"{folder} holds out no caption of {corpus.name}")
    drawer = Drawer(run.net, config.diffusion.schedule, config.diffusion.prediction)
    pairs = Pairs(corpus, part, space, config, drawer.shape[0])
    return Fold(
        config=config,
        folder=folder,
        corpus=corpus,
        part=part,
        space=space,
        explained=explained_by(drawer, pairs, config),
        drawers=(drawer,),
        text=corpus.texts.of(corpus.caption_of[items], config.network["kind"] != "mlp"),
        correct=corpus.correct(items),
        gallery=np.stack([space.standard(track).mean(0) for track in corpus.latents]),
        items=items,
    )


def explained_by(drawer: Drawer, pairs: Pairs, config: RunConfig) -> Array:
    """(D,) how much the anchors of the training captions differ: the variance words explain."""
    text = pairs.texts.of(np.unique(pairs.caption), pairs.states)
    return np.asarray(drawer.anchor(text, ANCHOR_DRAWS, config.optimiser.seed).mean(1).var(0))


def retrieval(
    folders: Sequence[Path],
    *,
    data: str = "",
    seed: int = 0,
    resamples: int = 5000,
    on_progress: Callable[[str], None] = lambda _: None,
    cancelled: Cancel = never,
) -> tuple[list[Table], dict[str, Any]]:
    """All tables, and what they were made from.

    Raises:
        UsageError: if no folder was given.
        RunError: if a folder is no finished run.
    """
    if not folders:
        raise UsageError("name at least one folder of gdr train")
    found = Found()
    names: dict[tuple[str, ...], Texts] = {}
    for fold in open_folds(folders, data):
        on_progress(str(fold.folder))
        if cancelled():
            raise Cancelled("the evaluation was stopped")
        corpus = fold.corpus
        if corpus.labels and corpus.labels not in names:
            names[corpus.labels] = embed(corpus.labels)
        generated(fold, found, seed)
        fixed(fold, found, names.get(corpus.labels))
        found.groups += [corpus.tracks[i] for i in corpus.track_of[fold.items]]
    about = {
        "protocol": "retrieval",
        "runs": [str(folder) for folder in folders],
        "queries": len(found.groups),
        "candidates": found.candidates,
        "seed": seed,
        "draw": fold.config.described()["draw"],
    }
    return tables(found, fold.config, resamples), about


def generated(fold: Fold, found: Found, seed: int) -> None:
    """Every way of turning draws into a ranking."""
    d, space, gallery = fold.config.draw, fold.space, fold.gallery
    # Other members start from other noise.
    each = [
        drawer.drawn(fold.text, d, seed + member, fold.explained)
        for member, drawer in enumerate(fold.drawers)
    ]
    drawn = fusion.Drawn(
        np.concatenate([one.draws for one in each], axis=1),
        np.mean([one.anchor for one in each], axis=0),
        fold.explained,
    )
    for rule in RULES:
        scores = fusion.fused(drawn, gallery, space, rule)
        found.put(f"rule {rule}", scores, fold.correct)
        if rule == d.rule:
            found.put(GDR, scores, fold.correct)
    one = fusion.fused(replace(drawn, draws=drawn.draws[:, :1]), gallery, space, "mean")
    found.put("rule one draw", one, fold.correct)
    vectors = space.search(drawn.draws)
    found.ambiguity.append(interpretations.ambiguity(vectors))
    known = space.search(gallery)
    split: dict[str, list[Array]] = {"interpretation": [], "half": []}
    for own, correct in zip(vectors, fold.correct, strict=True):
        halves = np.arange(len(own)) % 2
        for name, parts in (("interpretation", clusters(own)), ("half", halves)):
            scores = interpretations.best_interpretation(own, known, parts)
            best = metrics.ranks(scores, np.repeat(correct[None], len(scores), 0)).argmin()
            split[name].append(scores[best])
    for name, rows in split.items():
        found.put(f"best {name}", np.stack(rows), fold.correct)


def fixed(fold: Fold, found: Found, names: Texts | None) -> None:
    """Every baseline, fitted on the training tracks of the fold."""
    config, corpus, space, gallery = fold.config, fold.corpus, fold.space, fold.gallery
    pairs = Pairs(corpus, fold.part, space, config, fold.drawers[0].shape[0])
    known = space.search(gallery)
    pooled = fold.text.pooled

    def put(name: str, scores: Array) -> None:
        found.put(name, scores, fold.correct)

    plain = space.search(baselines.ridge(pairs, space, written=False)(pooled)) @ known.T
    put("ridge", plain)
    if len(pairs.written_caption):
        both = baselines.ridge(pairs, space, written=True)
        put("ridge_written", space.search(both(pooled)) @ known.T)
        # A Gaussian around a regression is a model of p(x | words) too: how much of what the
        # ratio gives is due to the rule, and not to who drew.
        explained = both(pairs.texts.pooled[np.unique(pairs.caption)]).var(0)
        put("ridge_ratio", fusion.ratio(both(pooled), gallery, 1 - explained))
    # As it is, and with the contrast that the run has beside its loss.
    for name, weight in (("regression", 0.0), ("contrast", config.diffusion.nt_xent)):
        drawer = baselines.regression(pairs, space, corpus, config, weight)
        answer = drawer.regress(fold.text).mean(1)
        put(name, space.search(answer) @ known.T)
        learned = drawer.regress(pairs.texts.of(np.unique(pairs.caption), pairs.states)).mean(1)
        put(f"{name}_ratio", fusion.ratio(answer, gallery, 1 - learned.var(0)))
    tower = baselines.contrastive(pairs, space, config)
    with torch.inference_mode():
        put("contrastive", tower(torch.from_numpy(pooled)).numpy() @ known.T)
    if names is not None:
        tracks, items = corpus.held_out(fold.part)
        logs = np.log(corpus.means + (config.data.floor or baselines.FLOOR))
        asked = corpus.texts.pooled[corpus.caption_of[~items]]
        by_name = baselines.class_names(pooled, names, asked, logs, ~tracks)
        put("names", by_name)
        put("ridge_names", baselines.mixed(plain, by_name))


def tables(found: Found, config: RunConfig, resamples: int) -> list[Table]:
    """Retrieval, differences, fusion, ambiguity."""
    groups = found.groups

    def hits(name: str, k: int = 10) -> NDArray[np.float64]:
        return np.where(found.of(name) <= k, 100.0, 0.0)

    columns = ("R@10", "R@1", "R@5", "median rank", "MedR %", "mAP %")

    def row(table: Table, shown: str, name: str) -> None:
        ranks = found.of(name)
        table.add(
            shown,
            metrics.interval(hits(name), groups=groups, resamples=resamples),
            metrics.recall_at(ranks, 1),
            metrics.recall_at(ranks, 5),
            metrics.median_rank(ranks),
            metrics.medr_percent(ranks, found.candidates),
            100 * float(np.concatenate(found.precision[name]).mean()),
        )

    d = config.draw
    how = f"{d.rule} of {d.draws} draws, {d.steps} steps, guidance {d.guidance:g}"
    if d.rule in ("anchor", "ratio"):
        how = f"{d.rule}: the anchor, no draws"
    systems = Table(
        f"Retrieval, {len(groups)} captions among {found.candidates} tracks",
        columns,
        note="R@10 with 95 % bootstrap intervals over tracks. "
        f"Chance is {1000 / found.candidates:.1f} %.",
    )
    row(systems, f"gdr ({how})", GDR)
    apart = Table(
        "gdr minus each baseline",
        ("R@10", "mAP %"),
        note="Paired bootstrap over tracks; an interval above 0 means that gdr is better.",
    )
    ours = 100 * np.concatenate(found.precision[GDR])
    for name, title in PLAIN.items():
        if name not in found.ranks:
            continue
        row(systems, title, name)
        theirs = 100 * np.concatenate(found.precision[name])
        apart.add(
            title,
            metrics.difference_interval(hits(GDR), hits(name), groups=groups, resamples=resamples),
            metrics.difference_interval(ours, theirs, groups=groups, resamples=resamples),
        )
    fused = Table("Ways to fuse the draws", columns)
    for rule in ("one draw", *RULES):
        row(fused, rule, f"rule {rule}")
    ambiguity = np.concatenate(found.ambiguity)
    spread = Table(
        "The cloud of draws",
        ("value",),
        note="Interpretations: two clusters of the draws, as if the better one were chosen; "
        "halves are a split that means nothing.",
    )
    spread.add("ambiguity (1 - mean cosine between draws)", float(ambiguity.mean()))
    ranks = found.of(GDR).astype(np.float64)
    spread.add(
        "its rank correlation with the rank", interpretations.rank_correlation(ambiguity, ranks)
    )
    for name, title in (
        ("best interpretation", "R@10 %, better interpretation"),
        ("best half", "R@10 %, half"),
    ):
        spread.add(title, metrics.recall_at(found.of(name), 10))
    return [systems, apart, fused, spread]
