"""`gdr eval fidelity`: whether draws are like real music, and a prompt's draws diverse.

Real are the gallery's held-out tracks, drawn one draw a held-out caption (for the distances) or
all of them (for diversity), everything standardised. The same figures for the training tracks,
which are real too, and for the anchor, a regression without spread, say what is good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gdr_model.errors import UsageError
from gdr_model.types import Array
from training import metrics
from training.evaluation.retrieval import Fold, open_folds
from training.evaluation.tables import Table

LEAST = 8
"""Real and drawn vectors below which nothing can be said."""


def fidelity(
    folders: Sequence[Path],
    *,
    data: str = "",
    seed: int = 0,
    on_progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Table], dict[str, Any]]:
    """All tables, and what they were made from.

    Raises:
        UsageError: if no folder was given, or there is too little to compare.
    """
    if not folders:
        raise UsageError("name at least one folder of gdr train")
    distances = Table(
        "Distance to the held-out tracks, time-means",
        ("Fréchet, shrunk", "kernel distance", "N real", "N drawn"),
        note="0 is the same distribution. Compare only equal N; every row has its own.",
    )
    diversity = Table(
        "Diversity of a prompt's draws",
        ("MICS", "MIVS"),
        note="MICS is the mean cosine between two draws, MIVS the number of effective draws.",
    )
    coverage = Table(
        "Precision, recall, density, coverage (k = 5)",
        ("precision", "recall", "density", "coverage"),
    )
    motion = Table("Motion, from second to second", ("Fréchet of histograms", "mean angle"))
    for fold in open_folds(folders, data):
        on_progress(str(fold.folder))
        _one(fold, seed, (distances, diversity, coverage, motion))
    tables = [table for table in (distances, diversity, coverage, motion) if table.rows]
    about = {"protocol": "fidelity", "runs": [str(f) for f in folders], "seed": seed}
    return tables, about


def _one(fold: Fold, seed: int, tables: tuple[Table, ...]) -> None:
    distances, diversity, coverage, motion = tables
    away, _ = fold.corpus.held_out(fold.part)
    d, drawer, name = fold.config.draw, fold.drawers[0], f"fold {fold.part}"
    sequences = drawer.draw(fold.text, d.draws, d.steps, d.guidance, seed)  # (P, Q, T, D)
    draws = sequences.mean(2)
    real = fold.gallery[away]
    if min(len(real), len(draws)) < LEAST:
        raise UsageError(f"{len(real)} tracks and {len(draws)} prompts are too few to compare")
    # Each prompt gives another of its draws, so that no two share their starting noise.
    one = draws[np.arange(len(draws)), np.arange(len(draws)) % draws.shape[1]]
    anchor = drawer.anchor(fold.text, d.draws, seed).mean(1)
    learned = fold.gallery[~away]
    for what, points in (("draws", one), ("anchor", anchor), ("training tracks", learned)):
        shrunk = metrics.frechet_shrunk(real, points)
        kernel = metrics.kernel_distance(real, points)
        distances.add(
            f"{name}, {what}",
            shrunk.value,
            kernel.value,
            float(shrunk.n_real),
            float(shrunk.n_drawn),
        )
        found = metrics.prdc(real, points)
        coverage.add(f"{name}, {what}", *found.values())
    if draws.shape[1] > 1:
        vectors = fold.space.search(draws)
        diversity.add(name, metrics.mics(vectors), metrics.mivs(vectors))
    if drawer.shape[0] > 1:
        _motion(fold, sequences, motion, name)


def _motion(fold: Fold, sequences: Array, table: Table, name: str) -> None:
    """Angles between successive latents, of tracks long enough to have some."""
    away, _ = fold.corpus.held_out(fold.part)
    frames = fold.drawers[0].shape[0]
    real = [
        fold.space.standard(fold.corpus.latents[i])[:frames]
        for i in np.flatnonzero(away)
        if len(fold.corpus.latents[i]) >= frames
    ]
    if len(real) < LEAST:
        return
    drawn = sequences[:, 0]
    table.add(
        f"{name}, draws",
        metrics.motion_frechet(np.stack(real), drawn, shrunk=True).value,
        float(metrics.angles(drawn).mean()),
    )
    table.add(f"{name}, held-out tracks", 0.0, float(metrics.angles(np.stack(real)).mean()))
