"""The check of a run while it trains: held-out captions, searched for as `gdr search` does.

The tower, which is trained apart, has no share in it: the figures are those of the draws alone.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from gdr_model.diffusion.denoisers import Network
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.search.retriever import Retriever
from training import metrics
from training.data.corpus import Corpus
from training.runs.config import RunConfig
from training.runs.gallery import gallery
from training.runs.run_model import latent_space, run_model, stored
from training.runs.space import Space
from training.runs.state import Finished

VALIDATED = 400
"""Held-out captions that a validation searches for, at most."""


class Retrieval:
    """Validation: held-out captions searched for among all tracks."""

    figures = ("R@1", "R@10", "median_rank")

    def __init__(self, config: RunConfig, corpus: Corpus, part: str, space: Space) -> None:
        self.config, self.corpus, self.part, self.space = config, corpus, part, space
        _, items = corpus.held_out(part)
        rows = np.flatnonzero(items)
        asked = np.zeros_like(items)
        asked[rows[:: max(1, math.ceil(len(rows) / VALIDATED))]] = True
        self.captions = [corpus.captions[row] for row in corpus.caption_of[asked]]
        self.correct = corpus.correct(asked)
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
        ranks = metrics.ranks(np.stack(scores), self.correct)
        return {
            "R@1": metrics.recall_at(ranks, 1),
            "R@10": metrics.recall_at(ranks, 10),
            "median_rank": metrics.median_rank(ranks),
        }
