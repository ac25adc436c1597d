"""The built-in encoder with a small untrained retriever that reads many languages."""

from __future__ import annotations

from pathlib import Path

import torch

from gdr_model.diffusion.denoisers.transformer import TransformerConfig, TransformerDenoiser
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.encoders.use.net import WIDTH
from gdr_model.models import checkpoint


def write(folder: Path) -> Path:
    """Write its folder. It searches the libraries that the built-in model has indexed."""
    builtin = checkpoint.load("builtin", "cpu")
    dim = builtin.space.dim
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        shape = TransformerConfig(dim=dim, width=32, layers=1, text_width=WIDTH)
        denoiser, tower = TransformerDenoiser(shape), ContrastiveTower(WIDTH, dim)
    checkpoint.save(
        folder,
        name="multilingual",
        denoiser=denoiser,
        contrastive=tower,
        schedule=builtin.schedule,
        latent_mean=builtin.latent_mean,
        latent_sd=builtin.latent_sd,
        whitening_power=builtin.whitening.power,
        **checkpoint.encoder_of(builtin) | {"text_encoder": "use"},
    )
    return folder
