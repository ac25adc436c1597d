"""A finished run as the `Model` that a `Retriever` searches with, without writing it.

A run may learn in a space that no encoder writes: logarithms of class probabilities along principal
axes. Its `Space` is cut in two here. The fixed part, logarithm and axes, is applied to the tracks
before they are stored (`stored`); mean, deviation and power are the model's own, and so are those
that it draws and searches with. Runs on an encoder's latents need no fixed part, and store them as
they are.

Shapes: W raw latent width, D latent width, T latents, L text tokens, E text width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gdr_model.diffusion.denoisers import describe
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.models.checkpoint import Model, RetrieverNetworks
from gdr_model.models.config import ModelConfig
from gdr_model.search.whitening import Whitening
from gdr_model.types import Array, LatentSpace, TextEmbedding
from training.data.corpus import Corpus
from training.data.texts import Texts
from training.runs.space import Space
from training.runs.state import Finished


@dataclass(frozen=True)
class CaptionReader:
    """A text encoder that knows some captions, and has other words read as a corpus's are.

    An empty prompt has no token.
    """

    corpus: Corpus
    captions: tuple[str, ...]
    texts: Texts

    @classmethod
    def of(cls, corpus: Corpus) -> CaptionReader:
        """One that knows the captions of a corpus."""
        return cls(corpus, corpus.captions, corpus.texts)

    @cached_property
    def row(self) -> dict[str, int]:
        """The row of each caption in the texts."""
        return {caption: row for row, caption in enumerate(self.captions)}

    def embed(self, texts: Sequence[str]) -> TextEmbedding:
        """Prompts (B) to states (B, L, E), mask and pooled (B, P)."""
        read = [self._read(text) for text in texts]
        known = self.texts
        length = max((len(states) for states, _ in read), default=0)
        padded = np.zeros((len(texts), max(1, length), known.tokens.shape[1]), np.float32)
        mask = np.zeros(padded.shape[:2], np.bool_)
        for row, (states, _) in enumerate(read):
            padded[row, : len(states)] = states
            mask[row, : len(states)] = True
        width = known.pooled.shape[1]
        pooled = np.stack([own for _, own in read]) if read else np.empty((0, width), np.float32)
        return TextEmbedding(padded, mask, pooled)

    def read_all(self, texts: Sequence[str]) -> Iterator[tuple[int, tuple[Array, Array]]]:
        """Each prompt's row, its states (L, E) and its pooled vector (P,)."""
        for row, text in enumerate(texts):
            yield row, self._read(text)

    def _read(self, text: str) -> tuple[Array, Array]:
        if text in self.row:
            one = self.texts.of([self.row[text]])
        else:
            one = self.corpus.reader.embed([text])
        return one.states[0][one.mask[0]], one.pooled[0]


def stored(space: Space, latents: Array) -> Array:
    """Raw latents (..., W) of a corpus as a library of the run's model holds them (..., D)."""
    return latents if space.per_axis else np.asarray(space.standard(latents) * space.sd, np.float32)


def latent_space(space: Space, corpus: Corpus) -> LatentSpace:
    """What the latents of `stored` mean: the encoder's space, or one of the run's own."""
    if corpus.space is not None and space.per_axis:
        return corpus.space
    parts = (space.mean, space.basis, np.float32(space.floor))
    digest = hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]
    return LatentSpace("arrays", space.dim, 1, 1.0, 1.0, digest)


def statistics(space: Space) -> dict[str, Any]:
    """What a model keeps of the space it was trained in."""
    mean, sd = torch.from_numpy(space.mean), torch.from_numpy(space.sd)
    if space.along is None:
        return {"latent_mean": mean, "latent_sd": sd}
    # The first row of a model's deviations along time is that of the time-mean.
    along = torch.from_numpy(space.along * (space.sd / space.spread))
    spread = torch.from_numpy(space.spread)
    return {"latent_mean": mean, "latent_sd": spread, "latent_along": along}


def run_model(
    run: Finished,
    corpus: Corpus,
    tower: ContrastiveTower,
    anchor_share: float,
    common_points: Array | None = None,
) -> Model:
    """The model of a run that was trained on `corpus`.

    `tower` counts for `anchor_share` of a query's score, as in a model that `export` writes, and
    draws are corrected by `common_points`.
    """
    space, config, device = run.space, run.config, run.net.null.device
    kept = statistics(space)
    if not space.per_axis:  # `stored` has taken the mean away
        kept["latent_mean"] = torch.zeros(space.dim)
    model = Model(
        config=ModelConfig(
            folder=Path(),
            name=config.name,
            space=latent_space(space, corpus),
            whitening_power=space.power,
            denoiser=describe(run.net),
            contrastive=tower.shape,
            schedule=asdict(config.diffusion.schedule),
            prediction=config.diffusion.prediction,
            anchor_share=anchor_share,
            encoders=corpus.model,
            text_encoder=corpus.text_encoder,
        ),
        device=device,
        schedule=config.diffusion.schedule,
        whitening=Whitening(kept["latent_mean"].numpy(), space.spread, space.power),
        common_points=common_points,
        networks=RetrieverNetworks(run.net, tower),
        **{name: value.to(device) for name, value in kept.items()},
    )
    model.text = CaptionReader.of(corpus)
    return model
