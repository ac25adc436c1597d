"""A built-in model as an earlier version of gdr could have had it, and music indexed with that.

Its audio encoder differs slightly from the one that ships, so its latents are of another space.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from gdr_model.errors import Cancelled
from gdr_model.models import checkpoint, config, kept
from gdr_model.models.checkpoint import Model
from gdr_model.models.config import ModelConfig
from gdr_model.store.ingest import ingest
from gdr_model.store.library import Library


def make(folder: Path, scale: float = 1.01) -> Path:
    """The folder of the model that ships, but for the length of its latents."""
    model = checkpoint.load()
    own = model.own_encoder
    assert own is not None
    assert model.networks is not None
    checkpoint.save(
        folder,
        name="builtin",
        denoiser=model.networks.denoiser,
        contrastive=model.networks.contrastive,
        schedule=model.schedule,
        latent_mean=model.latent_mean,
        latent_sd=model.latent_sd,
        whitening_power=model.config.whitening_power,
        net=own.net,
        projection=own.projection * scale,
        text_encoder=model.config.text_encoder,
        anchor_share=model.config.anchor_share,
        latent_along=model.latent_along,
    )
    return folder


def index(music: Path, builtin: Path) -> ModelConfig:
    """Index a folder as the version did whose built-in model is in another folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "SHIPPED", builtin)
        kept.keep(ModelConfig.read())
        encode(music, checkpoint.load())
        return ModelConfig.read()


def encode(music: Path, model: Model, at_most: int | None = None) -> None:
    """Encode a folder with a model, and stop as if killed once so many files are done."""
    done: list[object] = []
    with Library.open(music, create=True) as library, suppress(Cancelled):
        ingest(
            library,
            model.encoder,
            on_progress=lambda at: done.append(at.path),
            cancelled=lambda: at_most is not None and len(done) > at_most,
        )
