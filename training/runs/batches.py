"""Batches of captions and latents of a captioned set; each is a function of seed and step.

A batch does not depend on earlier ones, so an interrupted run resumes as if nothing had happened.
Shapes: R training tracks, T frames, D latent width, B batch.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from gdr_model.diffusion.denoisers import POOLED
from gdr_model.diffusion.loss import repeat_short
from gdr_model.errors import UsageError
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training.data.config import resolved
from training.data.corpus import Corpus
from training.data.texts import Rows, Texts, embed
from training.retrievers.tower import TowerBatch
from training.runs.config import RunConfig
from training.runs.run_input import TrainingBatch
from training.runs.space import Space
from training.words.borrowed import borrow, read_labelled
from training.words.generated_captions import write


class Pairs:
    """Training tracks with their captions, as batches."""

    def __init__(self, corpus: Corpus, part: str, space: Space, config: RunConfig, frames: int):
        """Read the captions that are trained on.

        Raises:
            UsageError: if there is none, or none can be borrowed.
            DatasetError: if the captions to borrow cannot be read.
        """
        self.config, self.frames, self.space = config, frames, space
        self.states = config.network["kind"] not in POOLED
        division = corpus.divided(part, config.data.validation)
        tracks, items = division.trained, division.items
        if not items.any():
            raise UsageError(f"no caption of {corpus.name} is left to train on")
        self.sound = [space.standard(corpus.latents[i]) for i in np.flatnonzero(tracks)]
        row_of = np.cumsum(tracks) - 1
        self.caption = corpus.caption_of[items]
        self.track = row_of[corpus.track_of[items]]
        self.texts = corpus.texts
        self.spread = float(np.sqrt(self._pooled(self.caption).var(0).mean()))
        self._repeat(corpus)
        self.written_caption = self.written_track = np.empty(0, np.int64)
        self.borrowed_caption = self.borrowed_track = self.bank = np.empty(0, np.int64)
        means, c, seed = corpus.means[tracks], config.captions, config.optimiser.seed
        if c.written:
            pairs = write(means, corpus.labels, c.written, seed)
            self.written_track, self.written_caption = self._add(
                pairs, lambda captions: embed(captions, corpus.reader)
            )
        if c.borrowed:
            pairs = borrow(
                read_labelled(resolved(c.borrowed)), corpus.labels, means, c.borrowed_tracks, seed
            )
            if not pairs:
                raise UsageError(f"no caption of {c.borrowed} has a class of {config.data.labels}")
            # Networks with unit_text read no token states.
            width = corpus.texts.tokens.shape[1]
            self.borrowed_track, self.borrowed_caption = self._add(
                pairs, lambda captions: Texts.of_pooled(corpus.pooled(captions), width)
            )
            self._lend(pairs, frozenset(corpus.labels))

    def _add(
        self, pairs: list[tuple[int, str]], read: Callable[[list[str]], Texts]
    ) -> tuple[Rows, Rows]:
        """Add captions of tracks; returns the rows of the tracks and of the captions."""
        distinct = {caption: i for i, caption in enumerate(dict.fromkeys(c for _, c in pairs))}
        first = len(self.texts.pooled)
        self.texts = self.texts.and_(read(list(distinct)))
        captions = np.array([first + distinct[caption] for _, caption in pairs], np.int64)
        return np.array([track for track, _ in pairs], np.int64), captions

    def _lend(self, pairs: list[tuple[int, str]], names: frozenset[str]) -> None:
        """Give the texts of each source of borrowed captions the mean of people's.

        Tables and lists of classes have styles of their own, and a style says nothing about a
        track. Captions of the table, spread over it, become the bank.
        """
        named = np.array([caption in names for _, caption in pairs])
        mean = unit(self.texts.pooled[self.caption]).mean(0)
        for source in (named, ~named):
            rows = np.unique(self.borrowed_caption[source])
            if len(rows):
                own = unit(self.texts.pooled[rows])
                self.texts.pooled[rows] = own + mean - own.mean(0)
        if bank := self.config.captions.bank:
            described = np.unique(self.borrowed_caption[~named])
            self.bank = described[:: math.ceil(len(described) / bank)]

    def _pooled(self, captions: Rows) -> Array:
        """Pooled text (B, E), of one length if the network makes it so."""
        pooled = self.texts.pooled[captions]
        return unit(pooled) if self.config.network.get("unit_text") else pooled

    def _repeat(self, corpus: Corpus) -> None:
        """Upstream's augmentation: sometimes a short prompt is repeated until it is long."""
        chance = self.config.captions.repeat_short
        self.repeated: Rows = np.arange(len(corpus.captions))
        if not chance:
            return
        longer = [repeat_short(c, random.Random(0), 1.0) for c in corpus.captions]
        changed = [i for i, c in enumerate(corpus.captions) if longer[i] != c]
        if changed:
            more: Texts = embed([longer[i] for i in changed], corpus.reader)
            self.repeated[changed] = len(self.texts.pooled) + np.arange(len(changed))
            self.texts = self.texts.and_(more)

    def targets(self) -> tuple[Rows, Rows, Array]:
        """Captions (I,), their tracks (I,) and standardised time-means (R, D); none randomised."""
        return self.caption, self.track, np.stack([track.mean(0) for track in self.sound])

    def batch(self, step: int) -> TrainingBatch:
        """The batch of a step."""
        c, size = self.config.captions, self.config.optimiser.batch
        rng = np.random.default_rng([self.config.optimiser.seed, step])
        written = round(size * c.written_share) if len(self.written_caption) else 0
        borrowed = round(size * c.borrowed_share) if len(self.borrowed_caption) else 0
        people = rng.integers(len(self.caption), size=size - written - borrowed)
        made = rng.integers(max(1, len(self.written_caption)), size=written)
        lent = rng.integers(max(1, len(self.borrowed_caption)), size=borrowed)
        captions = self.caption[people], self.written_caption[made], self.borrowed_caption[lent]
        tracks = self.track[people], self.written_track[made], self.borrowed_track[lent]
        caption, track = np.concatenate(captions), np.concatenate(tracks)
        if c.repeat_short:
            again = rng.random(len(people)) < c.repeat_short
            caption[: len(people)][again] = self.repeated[caption[: len(people)][again]]
        text = self.texts.of(caption, self.states)
        pooled, states = self._pooled(caption), text.states
        if c.noise:
            noise = rng.standard_normal(pooled.shape).astype(np.float32) * c.noise * self.spread
            pooled = pooled + noise
            if states.shape[2] == pooled.shape[1]:  # a CLAP's pooled text is in another space
                states = states + noise[:, None]
        mask = text.mask & (rng.random(size) >= c.dropped)[:, None]
        x0 = np.stack([self._passage(self.sound[t], rng) for t in track])
        if c.blended:
            chosen = rng.uniform(0, 0.5, size) * (rng.random(size) < c.blended)
            share, other = chosen.astype(np.float32)[:, None], rng.permutation(size)
            pooled = (1 - share) * pooled + share * pooled[other]
            x0 = (1 - share[:, None]) * x0 + share[:, None] * x0[other]
        parts = (x0, states, np.ascontiguousarray(mask), pooled)
        return TrainingBatch(*(torch.from_numpy(np.ascontiguousarray(part)) for part in parts))

    def _passage(self, latents: Array, rng: np.random.Generator) -> Array:
        """(T, D): a stretch of a long track, a short track repeated, or the mean."""
        if self.frames == 1:
            return np.asarray(latents.mean(0, keepdims=True))
        start = int(rng.integers(max(1, len(latents) - self.frames + 1)))
        piece = latents[start : start + self.frames]
        return self.space.passage(piece[np.arange(self.frames) % len(piece)])


@dataclass(frozen=True)
class PairsOfPoints:
    """The same batches for a contrastive tower: captions with the search points of their tracks."""

    pairs: Pairs
    space: Space

    def batch(self, step: int) -> TowerBatch:
        """The batch of a step."""
        batch = self.pairs.batch(step)
        points = self.space.search(batch.x0.mean(1).numpy())
        return TowerBatch(batch.pooled, torch.from_numpy(points))
