"""Captions of music that is not there, given to training tracks that could have them.

A table has captions and, for each, the classes of its music: MusicCaps as it is published, whose
labels are AudioSet's, or a CSV with the columns `caption` and `labels` (names of classes, separated
by `|`). Where the latents of a set are scores of the same classes, they say which of its tracks a
caption could describe, so no sound of the table is needed.

Shapes: R tracks, K classes, C captions.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training.data.items import DatasetError

CLASS_MAP = "yamnet_class_map.csv"
"""Names of AudioSet's ids (`mid`, `display_name`), in the folder of MusicCaps."""
RAREST, LEAST = 5, 0.02
"""Classes of fewer captions are left out; the deviation of a class counts as this much at least."""
TEMPERATURE = 0.03
"""Of the cosine by which tracks are drawn for a caption."""
NAMES, NAMED = 5, 0.25
"""How many more tracks the name of a class is given to, and the temperature: deviations of the
class's standardised scores."""
FLOOR = 1e-5


@dataclass(frozen=True)
class Labelled:
    """A caption, and the names of its classes."""

    caption: str
    classes: frozenset[str]


def read_labelled(path: Path) -> list[Labelled]:
    """The rows of a table that have classes. Rows of AudioSet's evaluation part are left out.

    Raises:
        DatasetError: if it cannot be read, or has not the columns.
    """
    try:
        rows = _rows(path)
        mids = "audioset_positive_labels"
        if rows and mids in rows[0]:
            names = {row["mid"]: row["display_name"] for row in _rows(path.parent / CLASS_MAP)}
            kept = [row for row in rows if row.get("is_audioset_eval") != "True"]
            found = [(row["caption"], map(names.get, row[mids].split(","))) for row in kept]
        else:
            found = [(row["caption"], map(str.strip, row["labels"].split("|"))) for row in rows]
    except (OSError, KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read as captions with labels: {error}") from error
    labelled = [
        Labelled(" ".join(caption.split()), frozenset(name for name in classes if name))
        for caption, classes in found
    ]
    return [row for row in labelled if row.caption and row.classes]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def borrow(
    rows: Sequence[Labelled], labels: Sequence[str], scores: Array, each: int, seed: int
) -> list[tuple[int, str]]:
    """`each` tracks for every caption, as (track, caption); likelier the better they fit.

    A caption fits a track by the cosine of its classes, the rare ones weighing more, with the
    track's log probabilities (R, K), standardised over the tracks. The names of the classes are
    captions too, each with `NAMES` times as many tracks.
    """
    texts, has = marked(rows, labels)
    if not texts:
        return []
    known = np.asarray(has.any(0))
    names = [name for name, ours in zip(labels, known, strict=True) if ours]
    wanted = unit((has - has.mean(0)) * weights_of(has))
    logs = np.log(scores + FLOOR)
    standard = unit((logs - logs.mean(0)) / np.maximum(logs.std(0), 1e-6))
    rng = np.random.default_rng(seed)
    pairs = _drawn(rng, texts, wanted @ standard.T / TEMPERATURE, each)
    by_name = standard[:, known].T / standard[:, known].std() / NAMED
    return pairs + _drawn(rng, names, by_name, NAMES * each)


def marked(rows: Sequence[Labelled], labels: Sequence[str]) -> tuple[list[str], Array]:
    """The captions that have one of the classes, and which they have (C, K): 1 or 0."""
    column = {name: number for number, name in enumerate(labels)}
    has = np.zeros((len(rows), len(labels)), np.float32)
    for row, labelled in enumerate(rows):
        has[row, [column[name] for name in labelled.classes if name in column]] = 1
    has[:, has.sum(0) < RAREST] = 0
    kept = np.asarray(has.any(1))
    return [row.caption for row, ours in zip(rows, kept, strict=True) if ours], has[kept]


def weights_of(has: Array) -> Array:
    """The weight (K,) of each class: the rare ones weigh more."""
    return np.asarray(1 / np.maximum(has.std(0), LEAST) ** 0.5)


def _drawn(
    rng: np.random.Generator, texts: Sequence[str], fit: Array, each: int
) -> list[tuple[int, str]]:
    """`each` tracks for every text, without repetition, in proportion to exp(fit (C, R))."""
    chosen = np.argsort(-(fit + rng.gumbel(size=fit.shape)), axis=1)[:, :each]
    return [(int(t), text) for text, own in zip(texts, chosen, strict=True) for t in own]
