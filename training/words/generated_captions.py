"""Captions written from class scores, so that the names of the classes are training data too.

A tagger's classes have names, and `training.words.vocabulary` knows how people say them. Every
training track gets captions that say what the tagger heard in it; a held-out track gets none.
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
HEARD = 25
"""Classes of a track, best first, that its captions may speak of."""
FLOOR = 1e-4


def write(
    probabilities: Array, labels: Sequence[str], count: int, seed: int
) -> list[tuple[int, str]]:
    """(row, caption) for every row of class probabilities (R, K), `count` each and none twice.

    A class is spoken of where it stands out among these tracks (z) and is likely (ln p / 2).
    """
    known = [i for i, name in enumerate(labels) if any(name in table for table in TABLES)]
    logs = np.log(probabilities[:, known] + FLOOR)  # (R, known)
    z = (logs - logs.mean(0)) / np.maximum(logs.std(0), 1e-6)
    scores = z + 0.5 * logs + 2.0
    found: list[tuple[int, str]] = []
    for row, own in enumerate(scores):
        best = np.argsort(-own, kind="stable")[:HEARD]
        facts = Facts(tuple((labels[known[i]], float(own[i])) for i in best))
        rng = np.random.default_rng([seed, row])
        said = captions(facts, rng, count)
        found += [(row, caption) for caption in dict.fromkeys(said)]
    return found
