"""A model written to a folder again, with changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model


def save(folder: Path, model: Model, **changes: Any) -> Model:
    """Write a model under another name, and load it."""
    assert model.networks is not None
    checkpoint.save(
        folder,
        name="changed",
        denoiser=model.networks.denoiser,
        contrastive=model.networks.contrastive,
        schedule=model.schedule,
        latent_mean=model.latent_mean,
        latent_sd=model.latent_sd,
        whitening_power=model.config.whitening_power,
        **checkpoint.encoder_of(model),
        **changes,
    )
    return checkpoint.load(str(folder), "cpu")
