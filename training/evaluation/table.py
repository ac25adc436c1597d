"""`gdr eval table`: models by sets, as the method's paper shows them.

Every model is asked all captions of every set it can search, and the set it was trained on only
what it holds out; runs of one configuration that hold out different folds count together. A model's
rows are what `gdr search` ranks by, its contrastive tower, and, once for each pair of encoders, the
teacher as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gdr_model.errors import SpaceMismatch, UsageError
from training import metrics
from training.data.config import resolved
from training.evaluation.retrieval import GDR, RESAMPLES, TEACHER, TOWER, Answers, search_captions
from training.evaluation.subjects import CPU, Corpora, Subject, is_run, opened
from training.evaluation.tables import Cell, Table
from training.runs.config import RunConfig
from training.runs.state import read_config

FIGURES = ("R@10", "R@1", "R@5", "MedR %")
NOTHING: tuple[Cell, ...] = ("–",) * len(FIGURES)
ROWS = {TEACHER: "teacher, untrained", TOWER: "contrastive tower", GDR: "gdr"}


@dataclass
class _Asked:
    """The answers of the models to one set."""

    name: str
    answers: dict[str, Answers] = field(default_factory=dict)
    """By model."""
    pairs: dict[str, str] = field(default_factory=dict)
    """The encoders of the set, as each model has them."""
    left_out: list[str] = field(default_factory=list)
    """Models that search another space."""


def table(
    names: Sequence[str],
    data: Sequence[str],
    *,
    seed: int = 0,
    device: torch.device = CPU,
    resamples: int = RESAMPLES,
    on_progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Table], dict[str, Any]]:
    """The table, and what it was made from.

    Without `data`, every run is asked what it holds out.

    Raises:
        UsageError: if no model is given, or none searches any of the sets.
        RunError: if a run is not finished.
    """
    if not names:
        raise UsageError("name at least one folder of gdr train, or a model")
    labels = _labels(names)
    corpora: Corpora = {}
    sets: dict[str, _Asked] = {}
    for name in names:
        for path in data or ("",):
            own = not path or _is_own(name, path)
            try:
                with opened(name, "" if own else path, corpora, device) as subject:
                    asked = sets.setdefault(path, _Asked(subject.corpus.name))
                    asked.name = subject.corpus.name
                    model = labels[name]
                    on_progress(f"{model}, {asked.name}")
                    asked.pairs[model] = _pair(subject)
                    answers = asked.answers.setdefault(model, Answers())
                    search_captions(
                        subject, answers, seed, wanted=("teacher", "tower"), parts=False
                    )
            except SpaceMismatch as error:
                sets.setdefault(path, _Asked(Path(path).name)).left_out.append(str(error))
    found = [asked for asked in sets.values() if asked.answers]
    if not found:
        raise UsageError(next(asked.left_out[0] for asked in sets.values()))
    about = {
        "protocol": "table",
        "subjects": list(names),
        "data": list(data),
        "seed": seed,
        "not_searched": [reason for asked in sets.values() for reason in asked.left_out],
        "sets": {asked.name: _sizes(asked) for asked in found},
    }
    return [_together(found, resamples)], about


def _is_own(name: str, path: str) -> bool:
    """Whether a set is the one that a run was trained on."""
    if not is_run(name):
        return False
    own = read_config(Path(name))[0].data.path
    return bool(own) and resolved(own).resolve() == Path(path).expanduser().resolve()


def _labels(names: Sequence[str]) -> dict[str, str]:
    """What each model is called; runs of one configuration have one name, and are one model."""
    labels: dict[str, str] = {}
    whose: dict[str, RunConfig] = {}
    for name in names:
        labels[name] = name
        if is_run(name):
            config, _, _ = read_config(Path(name))
            first = whose.setdefault(config.name, config)
            labels[name] = config.name if config == first else name
    return labels


def _pair(subject: Subject) -> str:
    """The pair of encoders that a set was extracted with."""
    return Path(subject.corpus.model).name


def _together(found: Sequence[_Asked], resamples: int) -> Table:
    """One table: a row for each system of each model, columns for each set."""
    rows: dict[str, dict[str, tuple[Cell, ...]]] = {}
    for asked in found:
        for model, answers in asked.answers.items():
            for system, called in ROWS.items():
                if system in answers.ranks:
                    whose = asked.pairs[model] if system == TEACHER else model
                    cells = rows.setdefault(f"{whose}, {called}", {})
                    cells.setdefault(asked.name, _figures(answers, system, resamples))
    columns = tuple(f"{asked.name} {figure}" for asked in found for figure in FIGURES)
    notes = [f"{asked.name}: {_sizes(asked)}." for asked in found]
    notes += [note for asked in found for own in asked.answers.values() for note in own.notes]
    notes.append("R@10 with 95 % bootstrap intervals over tracks.")
    if any(asked.left_out for asked in found):
        notes.append("A dash: the model searches another space.")
    table = Table("Retrieval, models by sets", columns, note=" ".join(dict.fromkeys(notes)))
    for row, cells in rows.items():
        table.add(row, *(cell for asked in found for cell in cells.get(asked.name, NOTHING)))
    return table


def _figures(answers: Answers, system: str, resamples: int) -> tuple[Cell, ...]:
    ranks = answers.ranks[system]
    return (
        metrics.interval(answers.hits(system), groups=answers.groups, resamples=resamples),
        metrics.recall_at(ranks, 1),
        metrics.recall_at(ranks, 5),
        metrics.medr_percent(ranks, answers.candidates),
    )


def _sizes(asked: _Asked) -> str:
    """How many captions and candidates a set has, and what chance finds."""
    sizes = dict.fromkeys(
        f"{len(answers.groups)} captions among {answers.candidates} tracks, chance "
        f"{np.mean(answers.chance):.1f} %"
        for answers in asked.answers.values()
    )
    return "; ".join(sizes)
