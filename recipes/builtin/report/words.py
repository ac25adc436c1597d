"""What the words alone know: AudioSet's labels of a clip from a musician's caption of it.

    python -m recipes.builtin.report.words --work DIR [--model builtin]

MusicCaps has captions and labels of clips that AudioSet holds out; no step is trained on these
rows, and none needs their sound. A model answers a caption with points of its search space. What
music has there is read by a ridge regression from passages of `DIR/pool` to the teachers' opinion
of them. Baselines are the cosine between caption and class name, and ridge regression from captions
to labels, trained on MusicCaps' other rows: words that know the answers. Prints Markdown.

Shapes: N captions, L labels, D latent width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gdr_model.models import checkpoint
from gdr_model.search.drawing import Drawer
from gdr_model.search.whitening import unit
from gdr_model.steering import Steering
from gdr_model.types import Array, TextEncoder
from recipes.builtin.corpus.batches import chances
from recipes.builtin.corpus.latents import Latents
from recipes.builtin.corpus.pool import Pool
from recipes.builtin.steps import step_parser
from training import metrics
from training.evaluation.retrieval import ALONE, GDR, TOWER
from training.evaluation.ridge import Ridge
from training.evaluation.tables import Table
from training.retrievers.together import queries
from training.words.merged import Classes
from training.words.people import Row, rows
from training.words.teacher import labels

CAPTIONS = 1000
LEAST = 10
"""Captions that a label must have to be counted."""
ALPHA = 30.0
"""Of the regression that reads points."""
ALPHAS = (0.3, 1.0, 3.0, 10.0)
"""Of the regression from captions, which takes the best on a fifth of its own rows."""
NAMES = "class names"
INFORMED = "ridge regression that knows the answers"

Has = NDArray[np.bool_]


def held_out(count: int, seed: int) -> tuple[list[Row], list[Row]]:
    """Some rows that nothing is trained on, and all others; rows without labels are left out."""
    every = [row for row in rows() if row.classes]
    aside = [row for row in every if row.evaluation]
    drawn = np.random.default_rng(seed).permutation(len(aside))[:count]
    return [aside[i] for i in sorted(drawn)], [row for row in every if not row.evaluation]


def labelled(some: Sequence[Row], names: Sequence[str]) -> Has:
    """Which rows have which labels (N, L)."""
    return np.array([[name in row.classes for name in names] for row in some], np.bool_)


def reader(pool: Pool, latents: Latents, model: checkpoint.Model) -> Ridge:
    """From points of the search space to what the teachers hear there, in deviations."""
    means = np.stack([latents.passages([item])[0].mean(axis=0) for item in pool.items])
    shares = chances(pool) * len(means)
    return Ridge.solve(model.whitening.apply(means), pool.classes, shares, ALPHA)


def answers(model: checkpoint.Model, captions: Sequence[str], seed: int) -> dict[str, Array]:
    """The points (N, D) that captions have by each way to search."""
    drawer = Drawer(model, _no_sound)
    drawn = queries(drawer, [Steering(caption, seed=seed) for caption in captions])
    clouds = np.stack([query.vectors.mean(axis=0) for query in drawn])
    towers = np.concatenate([query.anchor for query in drawn if query.anchor is not None])
    share = model.config.anchor_share
    return {GDR: share * towers + (1 - share) * clouds, TOWER: towers, ALONE: clouds}


def _no_sound(path: str) -> Array:
    raise FileNotFoundError(path)


def informed(text: TextEncoder, train: Sequence[Row], names: Sequence[str]) -> Ridge:
    """Ridge regression from captions to labels."""
    read, has = embedded(text, [row.caption for row in train]), labelled(train, names)
    aside = np.arange(len(train)) % 5 == 0

    def fitted(among: Has, alpha: float) -> Ridge:
        return Ridge.solve(read[among], has[among].astype(np.float32), np.ones(among.sum()), alpha)

    def precision(alpha: float) -> float:
        known = has[aside].any(axis=0)
        found = fitted(~aside, alpha)(read[aside])[:, known]
        return float(metrics.average_precision(found.T, has[aside][:, known].T).mean())

    return fitted(np.ones_like(aside), max(ALPHAS, key=precision))


def embedded(text: TextEncoder, texts: Sequence[str]) -> Array:
    """Unit pooled vectors (N, E)."""
    pooled = {row: vector for row, (_, vector) in text.read_all(texts)}
    return unit(np.stack([pooled[row] for row in range(len(texts))]))


def table(scores: dict[str, Array], has: Has) -> Table:
    """Mean average precision over labels of scores (N, L) by system, and the first one's lead."""
    found = Table(
        f"Labels from captions, {has.shape[1]} labels, {len(has)} captions",
        ("mAP %", "gdr minus this"),
        note=f"95 % bootstrap intervals over the labels, paired for differences. "
        f"Chance is {100 * has.mean():.1f} %.",
    )
    precisions = {
        name: 100 * metrics.average_precision(own.T, has.T) for name, own in scores.items()
    }
    first = next(iter(scores))
    for name, own in precisions.items():
        lead = metrics.difference_interval(precisions[first], own)
        found.add(name, metrics.interval(own), "" if name == first else lead)
    return found


def measure(
    work: Path,
    spelled: str,
    pool: str,
    encoder: str,
    count: int = CAPTIONS,
    seed: int = 0,
    show: Callable[[str], None] = print,
) -> Table:
    """Everything that the step prints."""
    model, some = checkpoint.load(spelled, "cpu"), held_out(count, seed)
    asked, train = some
    every = Classes.of(labels()).names
    names = [name for name in every if sum(name in row.classes for row in asked) >= LEAST]
    has, columns = labelled(asked, names), [every.index(name) for name in names]
    captions = [row.caption for row in asked]
    read = reader(Pool.load(work / pool), Latents.load(work / encoder), model)
    show(f"{len(asked)} captions, {len(names)} labels")
    scores = {
        system: read(points)[:, columns]
        for system, points in answers(model, captions, seed).items()
    }
    own = embedded(model.text, captions)
    scores[NAMES] = own @ embedded(model.text, [name.lower() for name in names]).T
    scores[INFORMED] = informed(model.text, train, names)(own)
    return table(scores, has)


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--pool", default="pool")
    parser.add_argument("--encoder", default="encoder")
    parser.add_argument("--captions", type=int, default=CAPTIONS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = measure(given.work, given.model, given.pool, given.encoder, given.captions, given.seed)
    print(found.markdown())


if __name__ == "__main__":
    main()
