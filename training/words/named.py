"""Which classes words name, learned from captions with labels, for latents that score classes.

A linear regression says with which labels captions like a text come; the other half is the text's
likeness to the names of the classes (`gdr_model.encoders.builtin.tower.NamedClasses`). No sound is
needed. Shapes: C captions, E text width, K classes, D latent width.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from gdr_model.encoders.builtin.tower import NamedClasses
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training.data.corpus import Corpus
from training.runs.space import Space
from training.words.borrowed import Labelled, marked, weights_of

RIDGE = 1.0
"""Strength of the regression, on unit texts."""


def named_classes(
    rows: Sequence[Labelled], corpus: Corpus, usual: Array, space: Space
) -> NamedClasses:
    """Fit the classes that words name in a corpus whose latents score classes.

    `usual` (E,) is the mean unit text of the captions that are trained on: what is asked is
    compared with that, and captions of the table with their own mean.
    """
    texts, has = marked(rows, corpus.labels)
    said = unit(corpus.pooled(texts))
    said = said - said.mean(0)
    wanted = (has - has.mean(0)) * weights_of(has)
    gram = said.T @ said + RIDGE * np.eye(said.shape[1], dtype=np.float32)
    labels = np.linalg.solve(gram, said.T @ wanted).T  # (K, E)
    classes = NamedClasses(len(usual), space.dim, len(corpus.labels))
    for name, values in (
        ("usual", usual),
        ("labels", labels),
        ("names", unit(corpus.pooled(corpus.labels))),
        ("axes", space.towards(np.eye(len(corpus.labels), dtype=np.float32))),
    ):
        getattr(classes, name).copy_(torch.from_numpy(np.asarray(values, np.float32)))
    return classes
