"""Batches for the retriever: two thirds passages with one of their captions, one third queries.

A query comes with a passage that answers it in the teachers' opinion. Kinds of track are drawn in
the proportions in which the encoder learned from them. Every batch is a function of seed and step.
Shapes: B batch, T seconds of a passage, D latent width, E text width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gdr_model.diffusion.denoisers import POOLED
from gdr_model.diffusion.time_whitening import deviations
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from recipes.builtin.corpus.crops import SHARES
from recipes.builtin.corpus.latents import Latents
from recipes.builtin.corpus.pool import Pool
from training.retrievers.tower import TowerBatch
from training.runs.config import RunConfig
from training.runs.run_input import TrainingBatch
from training.runs.space import Space

ASKED = 3 / 8
"""Share of a batch that comes from queries."""
CANDIDATES = 512
SHARPNESS = 2.5
"""A query's passage is drawn from `CANDIDATES` at random, likelier by e for each 1 / SHARPNESS
deviations of the teachers' score."""
MEASURED = 1024
"""Passages from which the deviations along time are measured."""
TOWER_PASSAGES, TOWER_QUERIES = 512, 256
TOWER_SHARPNESS = 2.0
"""Of the teachers' order of the passages under a query: deviations of its score to powers of e."""

Chances = NDArray[np.float64]


def chances(pool: Pool) -> Chances:
    """How likely each passage of a pool is drawn (N,): kinds in their shares, alike within one."""
    kinds = [item["kind"] for item in pool.items]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    weights = np.array([SHARES[kind] / counts[kind] for kind in kinds])
    return np.asarray(weights / weights.sum())


def shaped(passages: Array, config: RunConfig) -> Array:
    """Passages (B, T, D), or their time-means (B, 1, D) for a network that draws those."""
    means = config.network["kind"] in POOLED
    return np.asarray(passages.mean(axis=1, keepdims=True)) if means else passages


def space_of(pool: Pool, latents: Latents, config: RunConfig) -> Space:
    """Standardised by the encoder's statistics, and whitened along time as measured on the pool."""
    rng = np.random.default_rng(config.optimiser.seed)
    drawn = rng.choice(len(pool.items), MEASURED, p=chances(pool))
    passages = shaped(latents.passages([pool.items[i] for i in drawn]), config)
    along = deviations(np.asarray((passages - latents.mean) / latents.sd, np.float32))
    eye = np.eye(len(latents.mean), dtype=np.float32)
    relative, scale = along / along[0], latents.sd * along[0]
    return Space(latents.mean, eye, scale, latents.sd, 0.0, config.data.power, relative)


@dataclass(frozen=True)
class PassageBatches:
    """Batches of a pool for the trainer."""

    pool: Pool
    latents: Latents
    space: Space
    config: RunConfig
    chance: Chances

    @classmethod
    def of(cls, pool: Pool, latents: Latents, space: Space, config: RunConfig) -> PassageBatches:
        """Draw passages by `chances`."""
        return cls(pool, latents, space, config, chances(pool))

    def passages(self, items: Sequence[dict[str, Any]]) -> Array:
        """Passages (B, T, D) of items as the network sees them."""
        passages = shaped(self.latents.passages(items), self.config)
        return self.space.passage(self.space.standard(passages))

    def caption(self, item: dict[str, Any], rng: np.random.Generator) -> int:
        """The number of one of an item's captions."""
        return int(item["captions"][int(rng.integers(len(item["captions"])))])

    def batch(self, step: int) -> TrainingBatch:
        """The batch of a step; captions come first, queries last."""
        size, pool = self.config.optimiser.batch, self.pool
        rng = np.random.default_rng([self.config.optimiser.seed, step])
        asked = round(size * ASKED)
        drawn = rng.choice(len(pool.items), size - asked, p=self.chance)
        items = [pool.items[i] for i in drawn]
        captions = [self.caption(item, rng) for item in items]
        queries, wanted = pool.ask(rng, asked)
        among = rng.choice(len(pool.items), CANDIDATES, p=self.chance)
        scores = SHARPNESS * pool.answers(wanted, among)
        # Gumbel noise turns the best score into a draw in proportion to exp(score).
        best = among[(scores + rng.gumbel(size=scores.shape)).argmax(axis=1)]
        items += [pool.items[i] for i in best]
        text = pool.texts.of(captions + queries)
        # No longer than the longest of these: attention reads every column.
        longest = int(text.mask.sum(axis=1).max())
        kept = rng.random(size) >= self.config.captions.dropped
        parts = (
            self.passages(items),
            text.states[:, :longest],
            text.mask[:, :longest] & kept[:, None],
            text.pooled,
        )
        return TrainingBatch(*(torch.from_numpy(np.ascontiguousarray(part)) for part in parts))


@dataclass(frozen=True)
class TowerPassages:
    """Batches of a pool for the contrastive tower."""

    pool: Pool
    points: Array  # (N, D) unit vectors of the search space
    chance: Chances
    seed: int

    def batch(self, step: int) -> TowerBatch:
        """Different passages, one caption of each; queries with the teachers' order of those."""
        rng = np.random.default_rng([self.seed, step])
        count = min(TOWER_PASSAGES, len(self.pool.items))
        drawn = rng.choice(len(self.pool.items), count, replace=False, p=self.chance)
        captions = [int(rng.choice(self.pool.items[i]["captions"])) for i in drawn]
        queries, wanted = self.pool.ask(rng, TOWER_QUERIES)
        scores = TOWER_SHARPNESS * self.pool.answers(wanted, drawn)
        pooled = self.pool.texts.pooled
        parts = (pooled[captions], self.points[drawn], pooled[queries], scores)
        return TowerBatch(*(torch.from_numpy(part) for part in parts))


def search_points(pool: Pool, latents: Latents, space: Space) -> Array:
    """Search vectors (N, D) of all passages of a pool."""
    means = [latents.passages([item])[0].mean(axis=0) for item in pool.items]
    return unit((np.stack(means) - space.mean) / space.spread**space.power)
