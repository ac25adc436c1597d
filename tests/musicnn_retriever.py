"""A small untrained retriever for the musicnn that is installed, as one would come with gdr."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gdr_model.diffusion.denoisers.transformer import TransformerConfig, TransformerDenoiser
from gdr_model.diffusion.schedule import Schedule
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.encoders.use.net import WIDTH
from gdr_model.models import checkpoint, config


def ship(retrievers: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write it to where retrievers come from, which this folder is from now on."""
    bare = config.ModelConfig.read("musicnn")
    dim = bare.space.dim
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        denoiser = TransformerDenoiser(
            TransformerConfig(dim=dim, width=32, layers=1, text_width=WIDTH)
        )
        tower = ContrastiveTower(WIDTH, dim)
    checkpoint.save(
        retrievers / "musicnn",
        name="musicnn",
        denoiser=denoiser,
        contrastive=tower,
        schedule=Schedule(),
        latent_mean=torch.zeros(dim),
        latent_sd=torch.ones(dim),
        whitening_power=0.5,
        anchor_share=0.5,
        pair=bare,
    )
    monkeypatch.setattr(config, "RETRIEVERS", retrievers)
    return retrievers / "musicnn"
