"""What control is measured on: a model that can be steered, and a gallery of known attributes.

Here made of a run of `gdr train` on labelled arrays; `steered_library` takes a model as it ships.

Shapes: Q draws, T frames, D latent width, R gallery, K attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdr_model.diffusion import inversion, sampling
from gdr_model.diffusion.denoisers import Denoiser, Network
from gdr_model.diffusion.guidance import Guided
from gdr_model.diffusion.prediction import AsVelocity
from gdr_model.diffusion.schedule import Schedule
from gdr_model.errors import UsageError
from gdr_model.search.whitening import unit
from gdr_model.types import Array, TextEmbedding
from training.data.folder import describing_words
from training.data.texts import minilm
from training.evaluation.retrieval import Fold
from training.words.generated_captions import TABLES

TOP_SHARE = 0.15
"""A track has a class if its score is among the highest of this share of the gallery."""
LIKELY = -6.0
"""Mean log probability, among the tracks that have a class, below which it is hardly heard."""
LEAST_TRACKS = 3
"""An attribute that fewer tracks have says nothing of a top 20."""


class Steerable(Protocol):
    """Everything the protocols of control need."""

    @property
    def draws(self) -> int:
        """Draws of a query."""

    @property
    def steps(self) -> int:
        """Steps of a draw."""

    @property
    def guidance(self) -> float:
        """Guidance of a draw."""

    @property
    def gallery(self) -> Array:
        """(R, D) unit vectors of the search space."""

    @property
    def attributes(self) -> Mapping[str, NDArray[np.bool_]]:
        """Which of the gallery (R,) have each."""

    def query(
        self,
        prompt: str,
        negatives: tuple[tuple[str, float], ...] = (),
        sliders: tuple[tuple[str, float], ...] = (),
        seed: int = 0,
    ) -> Array:
        """Unit draws (Q, D) of a prompt, pushed by words."""

    def answer(
        self, prompt: str, negatives: tuple[tuple[str, float], ...] = (), seed: int = 0
    ) -> Array:
        """Scores (R,) of the gallery, as the search ranks it."""

    def edit(self, source: int, prompt: str, strength: float, how: str, seed: int = 0) -> Array:
        """Unit draws (Q, D) from a track: its noise (`inverted`), or any (`noise`)."""


@dataclass(frozen=True)
class Steered:
    """A trained network on arrays."""

    net: Network
    velocity: Denoiser
    schedule: Schedule
    scale: Array  # (D,) from standardised latents to the search space, up to length
    sources: tuple[Array, ...]  # R × (T, D) standardised
    attributes: dict[str, NDArray[np.bool_]]  # name to (R,)
    steps: int = 12
    draws: int = 8
    guidance: float = 3.0

    @cached_property
    def gallery(self) -> Array:
        """(R, D) unit vectors."""
        return self.search(np.stack([source.mean(0) for source in self.sources]))

    def search(self, x: Array) -> Array:
        """Standardised time-means (..., D) to unit vectors."""
        return unit(x * self.scale)

    def words(self, *texts: str) -> TextEmbedding:
        """Texts after the null."""
        found: TextEmbedding = minilm().embed(["", *texts])
        return found

    def query(
        self,
        prompt: str,
        negatives: tuple[tuple[str, float], ...] = (),
        sliders: tuple[tuple[str, float], ...] = (),
        seed: int = 0,
    ) -> Array:
        """Unit draws (Q, D) of a prompt, pushed by words."""
        guided = self._guided(prompt, negatives, sliders)
        grid = self.schedule.grid(self.steps)
        return self._found(sampling.ddim(guided, self._noise(seed), grid, self.schedule))

    def answer(
        self, prompt: str, negatives: tuple[tuple[str, float], ...] = (), seed: int = 0
    ) -> Array:
        """Scores (R,) of the gallery: the mean cosine to the draws."""
        return np.asarray((self.query(prompt, negatives, seed=seed) @ self.gallery.T).mean(0))

    def edit(self, source: int, prompt: str, strength: float, how: str, seed: int = 0) -> Array:
        """Unit draws (Q, D) from a track: its inverted noise, or noise that knows nothing of it."""
        config = self.net.config
        x0 = self.sources[source]
        shaped = (
            x0.mean(0)[None] if config.frames == 1 else np.resize(x0, (config.frames, x0.shape[1]))
        )
        x = torch.from_numpy(np.ascontiguousarray(shaped, np.float32))[None]
        grid = inversion.part_of_grid(self.schedule.grid(self.steps), strength)
        if how == "inverted":
            plain = Guided.build(self.velocity, self.words("music"), guidance=0.0)
            start = inversion.invert(plain, x, grid, self.schedule)
        else:
            noise = self._noise(seed)
            times = torch.full((len(noise),), grid[0])
            start = self.schedule.add_noise(x.expand_as(noise), noise, times)
        return self._found(sampling.ddim(self._guided(prompt), start, grid, self.schedule))

    def _guided(
        self,
        prompt: str,
        negatives: tuple[tuple[str, float], ...] = (),
        sliders: tuple[tuple[str, float], ...] = (),
    ) -> Guided:
        pushes = [text for text, _ in (*negatives, *sliders)]
        return Guided.build(
            self.velocity,
            self.words(prompt, *pushes),
            self.guidance,
            weights=tuple(weight for _, weight in negatives),
            amounts=tuple(amount for _, amount in sliders),
        )

    def _noise(self, seed: int) -> Tensor:
        return sampling.noise(self.draws, self.net.config.frames, self.net.config.dim, seed)

    def _found(self, x: Tensor) -> Array:
        return self.search(x.mean(1).numpy())


def of_run(fold: Fold) -> Steered:
    """A run on arrays whose dimensions are classes; a class is an attribute.

    Raises:
        UsageError: if the dimensions have no names.
    """
    corpus, drawer = fold.corpus, fold.drawers[0]
    if not corpus.labels:
        raise UsageError(f"the latents of {corpus.name} have no class names; give a library")
    logs = np.log(corpus.means + (fold.config.data.floor or 1e-5))
    wanted = max(LEAST_TRACKS, round(TOP_SHARE * len(logs)))
    known = {
        name: logs[:, i] >= np.sort(logs[:, i])[-wanted]
        for i, name in enumerate(corpus.labels)
        if any(name in table for table in TABLES[:3])
    }
    # Classes that are hardly ever likely are ranked by noise.
    often = {
        n: has for n, has in known.items() if logs[has, corpus.labels.index(n)].mean() > LIKELY
    }
    net, prediction = drawer.net, drawer.prediction
    return Steered(
        net=net,
        velocity=net if prediction == "v" else AsVelocity(net, drawer.schedule, prediction),
        schedule=drawer.schedule,
        scale=fold.space.sd / fold.space.spread**fold.space.power,
        sources=tuple(fold.space.standard(track) for track in corpus.latents),
        attributes=often,
    )


def words_of(path: Path, root: Path) -> set[str]:
    """Words that say what a file sounds like: its tags, and the folders it lies in."""
    try:
        folders = PurePath(path).relative_to(root).parts[:-1]
    except ValueError:
        folders = ()
    return {word.lower() for word in (*describing_words(path), *folders) if not word.isdigit()}
