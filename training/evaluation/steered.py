"""A retriever under test of control: steered queries, the gallery they rank, and its attributes.

Shapes: Q draws, D latent width, R gallery.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from gdr_model.diffusion import sampling
from gdr_model.errors import UsageError
from gdr_model.models.checkpoint import Model
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.steering import Edit, Slider, Steering, WeightedText
from gdr_model.store.library import Library
from gdr_model.types import Array, Query
from training.evaluation import attributes
from training.evaluation.attributes import FLOOR, Attributes
from training.evaluation.subjects import CPU, opened
from training.retrievers.gallery import Gallery
from training.runs.config import DrawConfig

REMEMBERED = 1000
"""Draws that a retriever keeps: the protocols ask for the plain prompts again and again."""

Weighted = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Steered:
    """A retriever, the recordings it ranks, and what they have."""

    retriever: Retriever
    gallery: Gallery
    attributes: Attributes
    how: DrawConfig = field(default_factory=DrawConfig)

    @cached_property
    def sources(self) -> Array:
        """(R, D) unit vectors of each recording's first passage, which edits start from."""
        model = self.retriever.model
        passages = self.gallery.first_passages(model.space)
        return model.whitening.apply(np.stack([rows.mean(0) for rows in passages]))

    def query(
        self, prompt: str, negatives: Weighted = (), sliders: Weighted = (), seed: int = 0
    ) -> Query:
        """What `gdr search` draws for a prompt under negatives and sliders."""
        steering = self.how.steering(prompt, seed).but(
            negatives=tuple(WeightedText(text, weight) for text, weight in negatives),
            sliders=tuple(Slider(text, amount) for text, amount in sliders),
        )
        return self.retriever.query(steering)

    def pushed(self, prompt: str, negative: str, weight: float, seed: int = 0) -> Query:
        """The sampler's own negative, and half as much taken from the tower's point."""
        model, drawer = self.retriever.model, self.retriever.drawer
        plain = self.how.steering(prompt, seed)
        steering = plain.but(negatives=(WeightedText(negative, weight),))
        with torch.inference_mode():
            points = model.whitening.apply(model.drawn(drawer.sample(steering)))
        anchor = drawer.rows(plain) - weight / 2 * drawer.rows(Steering(negative))
        return Query(points, plain, anchor=unit(anchor) if model.config.anchor_share else None)

    def edit(self, source: int, prompt: str, strength: float, seed: int = 0) -> Query:
        """What `gdr edit` draws from a recording's beginning."""
        path = str(self.gallery.tracks[source].path)
        steering = self.how.steering(prompt, seed).but(edit=Edit(path, 0.0, strength))
        return self.retriever.query(steering)

    def from_noise(self, source: int, prompt: str, strength: float, seed: int = 0) -> Query:
        """SDEdit (Meng et al. 2022): add noise to a recording's beginning, then denoise it.

        The strength is the share of the schedule that is walked, in as many steps as a draw takes.
        """
        steering = self.how.steering(prompt, seed)
        model, drawer = self.retriever.model, self.retriever.drawer
        edit = Edit(str(self.gallery.tracks[source].path), 0.0)
        x0, _ = drawer.source(steering, edit)
        noise = drawer.noise(steering)
        grid = model.schedule.grid(round(steering.steps / strength))[-steering.steps - 1 :]
        with torch.inference_mode():
            times = torch.full((len(noise),), grid[0], device=noise.device)
            start = model.schedule.add_noise(x0.expand_as(noise), noise, times)
            drawn = sampling.ddim(drawer.guided(steering), start, grid, model.schedule)
        return Query(model.whitening.apply(model.drawn(drawn)), steering)

    def at(self, points: Array) -> Query:
        """Points (Q, D) of the search space as a query; they need not have length one."""
        return Query(unit(points), Steering("-"))

    def scores(self, query: Query) -> Array:
        """The score (R,) of every recording."""
        return self.gallery.scores(self.retriever, query)

    def mixed(self, query: Query) -> Array:
        """The draws (Q, D) of a query, each mixed with the tower's point by its share."""
        if query.anchor is None:
            return query.vectors
        share = self.retriever.share(query)
        return np.asarray((1 - share) * query.vectors + share * query.anchor)


def of_library(model: Model, library: Library, source: str = "tags") -> Steered:
    """A model and an indexed library; `source` says where attributes come from.

    Raises:
        UsageError: if the library's tracks share no attribute.
        FileNotFoundError, ModelError: if the teacher is needed and is not there.
    """
    gallery = Gallery.of(library, model.space)
    if not gallery.tracks:
        raise UsageError(f"{library.root} holds no track that {model.name} has indexed")
    retriever = Retriever(model, [library], remember=REMEMBERED)
    return Steered(retriever, gallery, attributes.of_library(gallery, source))


@contextmanager
def of_set(name: str, data: str = "", device: torch.device = CPU) -> Iterator[Steered]:
    """A run and the set it was trained on, or a run or a model and the set `data`.

    Raises:
        UsageError: if the set's tracks share no attribute.
    """
    with opened(name, data, device=device) as subject:
        floor = subject.run.config.data.floor if subject.run else None
        found = attributes.of_corpus(subject.corpus, floor or FLOOR)
        retriever = Retriever(subject.model, [subject.gallery.library], remember=REMEMBERED)
        yield Steered(retriever, subject.gallery, found, subject.how)
