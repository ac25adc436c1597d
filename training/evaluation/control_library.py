"""A model as it ships and an indexed library, to measure control on.

Every query is the retriever's own: its negatives, its edits, its ranking by draws and tower. The
gallery holds the first passage of each track. What a track has is said by its tags and folders,
or heard by a tagger (`heard`).

Shapes: Q draws, D latent width, R gallery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gdr_model.diffusion import inversion, sampling
from gdr_model.diffusion.guidance import Guided
from gdr_model.errors import UsageError
from gdr_model.models.checkpoint import Model
from gdr_model.search.retriever import Retriever
from gdr_model.store.library import Library
from gdr_model.types import PASSAGE_S, Array, Edit, Slider, Steering, Track, WeightedText
from training.evaluation.control_models import LEAST_TRACKS, words_of
from training.words.tagger_attributes import heard

_DEFAULT = Steering("-")


@dataclass(frozen=True)
class SteeredLibrary:
    """A retriever, the tracks it searches and what they have."""

    retriever: Retriever
    tracks: tuple[Track, ...]
    latents: tuple[Array, ...]
    """R × (T, D), the first passage of each track."""
    gallery: Array
    attributes: Mapping[str, NDArray[np.bool_]]
    draws: int = _DEFAULT.draws
    steps: int = _DEFAULT.steps
    guidance: float = _DEFAULT.guidance

    def _steering(
        self,
        prompt: str,
        negatives: tuple[tuple[str, float], ...] = (),
        sliders: tuple[tuple[str, float], ...] = (),
        seed: int = 0,
    ) -> Steering:
        return Steering(
            prompt,
            negatives=tuple(WeightedText(text, weight) for text, weight in negatives),
            sliders=tuple(Slider(text, amount) for text, amount in sliders),
            seed=seed,
        )

    def query(
        self,
        prompt: str,
        negatives: tuple[tuple[str, float], ...] = (),
        sliders: tuple[tuple[str, float], ...] = (),
        seed: int = 0,
    ) -> Array:
        """Draws (Q, D), each mixed with the tower's point by its share of the score.

        The mean of their products with a track is the score by which the search ranks it.
        """
        found = self.retriever.query(self._steering(prompt, negatives, sliders, seed))
        if found.anchor is None:
            return found.vectors
        share = self.retriever.model.config.anchor_share
        return np.asarray((1 - share) * found.vectors + share * found.anchor)

    def answer(
        self, prompt: str, negatives: tuple[tuple[str, float], ...] = (), seed: int = 0
    ) -> Array:
        """Scores (R,) of the gallery, as the search ranks it."""
        return np.asarray((self.query(prompt, negatives, seed=seed) @ self.gallery.T).mean(0))

    def edit(self, source: int, prompt: str, strength: float, how: str, seed: int = 0) -> Array:
        """Unit draws (Q, D) from a track: its noise (`inverted`), or any (`noise`)."""
        edit = Edit(str(self.tracks[source].path), 0.0, strength)
        if how == "inverted":
            return self.retriever.query(Steering(prompt, edit=edit, seed=seed)).vectors
        model = self.retriever.model
        config = model.denoiser.config
        noise = sampling.noise(self.draws, config.frames, config.dim, seed)
        grid = inversion.part_of_grid(model.schedule.grid(self.steps), strength)
        x0 = model.passages(np.resize(self.latents[source], (config.frames, config.dim)))[None]
        times = torch.full((len(noise),), grid[0])
        start = model.schedule.add_noise(x0.expand_as(noise), noise, times)
        guided = Guided.build(model.velocity, model.text.embed(["", prompt]), self.guidance)
        drawn = sampling.ddim(guided, start, grid, model.schedule)
        return model.whitening.apply(model.drawn(drawn))


def of_library(model: Model, library: Library, attributes: str = "tags") -> SteeredLibrary:
    """A model and an indexed library; attributes are `tags`, or what the `teacher` hears.

    Raises:
        UsageError: if the library's tracks share no attribute.
        FileNotFoundError: if the teacher is asked and is not there.
    """
    encoded = library.encoded(model.space)
    # One of every recording: copies of one sound would fill a top 20.
    known = {track.content: track for track in library.tracks() if track.content in encoded}
    tracks = tuple(known.values())
    latents = tuple(
        library.latents(track.content, model.space)[:PASSAGE_S].astype(np.float32)
        for track in tracks
    )
    found = heard(library, tracks) if attributes == "teacher" else tagged(tracks, library)
    kept = {w: has for w, has in found.items() if LEAST_TRACKS <= has.sum() < len(tracks)}
    if not kept:
        raise UsageError(f"the tracks of {library.root} share no attribute to measure by")
    gallery = model.whitening.apply(np.stack([rows.mean(0) for rows in latents]))
    retriever = Retriever(model, [library], remember=1000)
    return SteeredLibrary(retriever, tracks, latents, gallery, kept)


def tagged(tracks: tuple[Track, ...], library: Library) -> dict[str, NDArray[np.bool_]]:
    """Which tracks (R,) have each word among their tags and folders."""
    words = [words_of(track.path, library.root) for track in tracks]
    every = sorted({word for own in words for word in own})
    return {word: np.array([word in own for own in words]) for word in every}
