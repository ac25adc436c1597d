"""`gdr eval fidelity`: how close draws are to real music, and how diverse a prompt's draws are.

Draws are those of `gdr search`: one a held-out caption for the distances, all of them for
diversity. Real are the held-out tracks. Everything is standardised. Draws without guidance, draws
of one step (a regression, without spread) and the training tracks, which are real too, put the
figures in proportion.

Shapes: P captions, Q draws, R tracks, T frames, D latent width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from gdr_model.errors import UsageError
from gdr_model.steering import Steering
from gdr_model.types import Array
from training import metrics
from training.evaluation.subjects import CPU, Subject, subjects
from training.evaluation.tables import Table
from training.retrievers.together import sequences

LEAST = 8
"""Real and drawn vectors below which nothing can be said."""


def fidelity(
    names: Sequence[str],
    *,
    data: str = "",
    seed: int = 0,
    device: torch.device = CPU,
    on_progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Table], dict[str, Any]]:
    """All tables, and what they were made from.

    Raises:
        UsageError: if no run is given, or there is too little to compare.
    """
    distances = Table(
        "Distance to the real tracks, time-means",
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
    for subject in subjects(names, data, device):
        on_progress(subject.name)
        _one(subject, seed, (distances, diversity, coverage, motion))
    tables = [table for table in (distances, diversity, coverage, motion) if table.rows]
    about = {"protocol": "fidelity", "subjects": list(names), "data": data, "seed": seed}
    return tables, about


def draws(subject: Subject, seed: int, **changes: float) -> Array:
    """Standardised sequences (P, Q, T, D) that a search draws for each caption asked."""
    steerings = [subject.how.steering(caption, seed).but(**changes) for caption in subject.captions]
    return _drawn(subject, steerings)


def one_each(subject: Subject, seed: int, **changes: float) -> Array:
    """Standardised time-means (P, D) of one draw per caption, each from noise of its own.

    A search starts every prompt from the same noise, so its draws for many prompts are no
    independent sample: 8 noises shared by 175 captions of the benchmark put them at a Fréchet
    distance of 32 from the music, noises of their own at 2.
    """
    steerings = [
        subject.how.steering(caption, seed + row).but(draws=1, **changes)
        for row, caption in enumerate(subject.captions)
    ]
    return np.asarray(_drawn(subject, steerings)[:, 0].mean(1))


def _drawn(subject: Subject, steerings: Sequence[Steering]) -> Array:
    drawn = dict(sequences(subject.retriever.drawer, steerings))
    return np.stack([drawn[row].cpu().numpy() for row in range(len(steerings))])


def _one(subject: Subject, seed: int, tables: tuple[Table, ...]) -> None:
    distances, diversity, coverage, motion = tables
    away = np.ones(len(subject.corpus.tracks), np.bool_)
    heard = ~away
    if subject.run is not None and subject.trained is not None:
        away, heard = subject.trained.division.held_out, subject.trained.division.trained
    model = subject.model
    library = subject.gallery.library
    tracks = [library.latents(t.content, model.space) for t in subject.gallery.tracks]
    gallery = model.means(np.stack([track.mean(0) for track in tracks])).cpu().numpy()
    real = gallery[away]
    drawn = draws(subject, seed)
    if min(len(real), len(drawn)) < LEAST:
        raise UsageError(f"{len(real)} tracks and {len(drawn)} prompts are too few to compare")
    rows = {
        "draws": one_each(subject, seed),
        "draws without guidance": one_each(subject, seed, guidance=1.0),
        "draws of one step": one_each(subject, seed, steps=1),
    }
    if heard.any():
        rows["training tracks"] = gallery[heard]
    for what, points in rows.items():
        name = f"{subject.name}, {what}"
        shrunk = metrics.frechet_shrunk(real, points)
        kernel = metrics.kernel_distance(real, points)
        sizes = float(shrunk.n_real), float(shrunk.n_drawn)
        distances.add(name, shrunk.value, kernel.value, *sizes)
        coverage.add(name, *metrics.prdc(real, points).values())
    if drawn.shape[1] > 1:
        vectors = model.whitening.apply(model.drawn(torch.from_numpy(drawn).to(model.device)))
        diversity.add(subject.name, metrics.mics(vectors), metrics.mivs(vectors))
    if drawn.shape[2] > 1:
        chosen = [t for t, held_out in zip(tracks, away, strict=True) if held_out]
        _motion(subject, chosen, drawn, motion)


def _motion(subject: Subject, tracks: Sequence[Array], sequences: Array, table: Table) -> None:
    """Angles between successive latents, of tracks long enough to have some."""
    frames = sequences.shape[2]
    long = [track[:frames] for track in tracks if len(track) >= frames]
    if len(long) < LEAST:
        return
    real = subject.model.passages(np.stack(long)).cpu().numpy()
    drawn = sequences[:, 0]
    table.add(
        f"{subject.name}, draws",
        metrics.motion_frechet(real, drawn, shrunk=True).value,
        float(metrics.angles(drawn).mean()),
    )
    table.add(f"{subject.name}, real tracks", 0.0, float(metrics.angles(real).mean()))
