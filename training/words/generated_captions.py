"""Captions generated from class scores, so that the names of the classes are training data too.

A tagger's classes have names, and `training.words.vocabulary` has the words people use for them.
Every training track gets captions that describe what the tagger found; held-out tracks get none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gdr_model.types import Array
from training.words import vocabulary
from training.words.captions import Facts, captions

TABLES = (
    vocabulary.INSTRUMENTS,
    vocabulary.GENRES,
    vocabulary.MOODS,
    vocabulary.VOICES,
    vocabulary.USES,
)
MENTIONED = 25
"""How many classes of a track, best first, its captions can mention."""
FLOOR = 1e-4


def write(
    probabilities: Array, labels: Sequence[str], count: int, seed: int
) -> list[tuple[int, str]]:
    """Up to `count` different captions per row of class probabilities (R, K), as (row, caption).

    A class is mentioned if it stands out among these tracks (z) and is likely (ln p / 2).
    """
    known = [i for i, name in enumerate(labels) if any(name in table for table in TABLES)]
    logs = np.log(probabilities[:, known] + FLOOR)  # (R, known)
    z = (logs - logs.mean(0)) / np.maximum(logs.std(0), 1e-6)
    scores = z + 0.5 * logs + 2.0
    pairs: list[tuple[int, str]] = []
    for row, of_classes in enumerate(scores):
        best = np.argsort(-of_classes, kind="stable")[:MENTIONED]
        facts = Facts(tuple((labels[known[i]], float(of_classes[i])) for i in best))
        rng = np.random.default_rng([seed, row])
        pairs += [(row, caption) for caption in dict.fromkeys(captions(facts, rng, count))]
    return pairs
