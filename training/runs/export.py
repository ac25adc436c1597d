"""From a finished run on an extracted set to a model that `--model` takes: `RUN/model`.

The model names the pair of encoders that the set was extracted with, or holds the encoder itself
where that is gdr's own. Beside the denoiser it gets a contrastive tower, trained on the same pairs:
what `--method contrastive` searches with, and one reading among the draws.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.models.config import FINISHED
from training.data.corpus import Corpus
from training.evaluation.baselines import contrastive
from training.runs.batches import Pairs
from training.runs.space import Space
from training.runs.state import load_model

ANCHOR_SHARE = 0.5
"""What the tower's point counts beside the draws, as measured on the built-in model."""


def export(folder: Path, corpus: Corpus, model: Model | None = None) -> Path:
    """Write the model of a finished run; returns its folder.

    `model` is the one that the latents of the corpus are of. Where it has a retriever, the run went
    on from it: its tower and its statistics are kept.

    Raises:
        UsageError: if the run's space is none that a library can be searched in.
        ModelError: if the encoders of the set are not here, or make other latents now.
    """
    run = load_model(folder)
    if not corpus.model:
        raise UsageError(f"{corpus.name} is arrays that no encoder of gdr made")
    made: dict[str, Any]
    if model is not None and model.retrieving is not None:
        made = {
            "contrastive": model.retrieving.contrastive,
            "latent_mean": model.latent_mean,
            "latent_sd": model.latent_sd,
            "latent_along": model.latent_along,
            "anchor_share": model.config.anchor_share,
        }
    else:
        _require_searchable(run.space)
        model = model or checkpoint.load(corpus.model, "cpu")
        pairs = Pairs(corpus, run.part, run.space, run.config, run.net.config.frames)
        made = {
            "contrastive": contrastive(pairs, run.space, run.config),
            "latent_mean": torch.from_numpy(run.space.mean),
            "latent_sd": torch.from_numpy(run.space.sd),
            "anchor_share": ANCHOR_SHARE,
        }
    if model.space != corpus.space:
        raise UsageError(
            f"{corpus.name} was extracted as {corpus.space}; {corpus.model} makes {model.space} now"
        )
    checkpoint.save(
        folder / FINISHED,
        name=run.config.name,
        denoiser=run.net,
        schedule=run.config.diffusion.schedule,
        whitening_power=run.space.power,
        prediction=run.config.diffusion.prediction,
        **made,
        **checkpoint.encoder_of(model),
    )
    return folder / FINISHED


def _require_searchable(space: Space) -> None:
    """A library keeps latents as the encoder makes them, and whitens axis by axis."""
    turned = (
        space.along is not None
        or len(space.mean) != space.dim
        or (space.basis != np.eye(space.dim)).any()
    )
    if space.floor or turned:
        raise UsageError("data.floor and data.components make a space that no library is kept in")
    if space.power and not (space.sd == space.spread).all():
        raise UsageError("data.power above 0 needs data.standardise, to be searched with --model")
