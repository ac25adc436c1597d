"""The check of a run while it trains: captions it does not train on, searched for.

The tower, which is trained apart, has no share in it: the figures are those of the draws alone.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from gdr_model.diffusion.denoisers import Network
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.search.retriever import Retriever
from gdr_model.types import Array
from training import metrics
from training.data.corpus import Corpus
from training.data.division import Mask
from training.retrievers.gallery import gallery
from training.retrievers.run_model import latent_space, run_model, stored
from training.runs.config import RunConfig
from training.runs.space import Space
from training.runs.state import Finished

VALIDATED = 400
"""Held-out captions that a validation searches for, at most."""


class Retrieval:
    """Validation: captions of the validation part, searched for among all tracks."""

    figures = ("R@1", "R@10", "median_rank")

    def __init__(self, config: RunConfig, corpus: Corpus, part: str, space: Space) -> None:
        self.config, self.corpus, self.part, self.space = config, corpus, part, space
        division = corpus.divided(part, config.data.validation)
        # Without a part of their own, validations ask what is held out.
        items = division.checked if division.checked.any() else division.asked
        rows = np.flatnonzero(items)
        asked = np.zeros_like(items)
        asked[rows[:: max(1, math.ceil(len(rows) / VALIDATED))]] = True
        self.captions = [corpus.captions[row] for row in corpus.caption_of[asked]]
        right = corpus.correct(asked)
        self.correct, self.known = right & ~division.trained, right & division.trained
        with torch.device("meta"):  # never evaluated: its share is 0
            self.no_tower = ContrastiveTower(corpus.texts.pooled.shape[1], space.dim)

    def __call__(self, net: Network) -> dict[str, float]:
        """R@1, R@10 and median rank."""
        space, corpus, seed = self.space, self.corpus, self.config.optimiser.seed
        run = Finished(self.config, self.part, net, space)
        model = run_model(run, corpus, self.no_tower, 0.0)
        latents = [stored(space, track) for track in corpus.latents]
        with gallery(corpus.tracks, latents, latent_space(space, corpus)) as tracks:
            retriever = Retriever(model, [tracks.library])
            steerings = (self.config.draw.steering(caption, seed) for caption in self.captions)
            scores = [tracks.scores(retriever, retriever.query(each)) for each in steerings]
        ranks = metrics.ranks(below(np.stack(scores), self.known), self.correct)
        return {
            "R@1": metrics.recall_at(ranks, 1),
            "R@10": metrics.recall_at(ranks, 10),
            "median_rank": metrics.median_rank(ranks),
        }


def below(scores: Array, known: Mask) -> Array:
    """Scores (P, R) with the tracks a caption was trained with below all others: out of the way.

    They answer the caption, but were heard with it; they are neither right nor wrong.
    """
    return np.where(known, scores.min() - 1, scores)
