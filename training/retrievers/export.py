"""From a finished run to a model that `--model` takes: weights in half precision, read back.

The model names the pair of encoders that made the latents, or holds the encoder itself if it is
gdr's own. Besides the denoiser it gets a contrastive tower, trained on the same pairs: what
`--method contrastive` searches with, and a point that is fused with the draws.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from gdr_model.diffusion.denoisers import Network
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.models.config import FINISHED
from training.data.corpus import Corpus
from training.retrievers.fused import fused
from training.retrievers.run_model import statistics
from training.runs.space import Space
from training.runs.state import Finished, RunError, load_model

TOLERANCE = 1e-3
"""Largest error of a written network's output, relative to its size; half precision makes 1e-6."""


def export(
    folder: Path,
    corpus: Corpus,
    model: Model | None = None,
    device: torch.device | None = None,
) -> Path:
    """Write the model of a run on a corpus to `folder/model`; returns that.

    `model` is the one that made the latents of the corpus. If it has a retriever, the run continued
    its training: its tower, its share and what corrects its draws are kept. Otherwise they are
    those of `fused`, which are made on the `device`.

    Raises:
        UsageError: if no library can be searched in the run's space.
        ModelError: if the encoders of the set are not here, or make other latents now.
        RunError: if the written model does not reproduce the trained one.
    """
    run = load_model(folder)
    if not corpus.model:
        raise UsageError(f"{corpus.name} is arrays that no encoder of gdr made")
    if model is not None and model.networks is not None:
        tower, share = model.networks.contrastive, model.config.anchor_share
        points = model.common_points
    else:
        require_searchable(run.space)
        model = model or checkpoint.load(corpus.model, "cpu")
        found = fused(folder, run, corpus, device or torch.device("cpu"))
        tower, share, points = found.tower, found.share, found.common_points
    if model.space != corpus.space:
        raise UsageError(
            f"{corpus.name} was extracted as {corpus.space}; {corpus.model} makes {model.space} now"
        )
    encoders = checkpoint.encoder_of(model)
    if model.own_encoder is not None:  # words are read as in training, whatever ships by now
        encoders["text_encoder"] = corpus.text_encoder
    write_model(folder / FINISHED, run, tower, share, common_points=points, **encoders)
    return folder / FINISHED


def write_model(
    to: Path, run: Finished, tower: ContrastiveTower, anchor_share: float, **more: Any
) -> None:
    """Write a model folder from a run, a tower, an encoder and more that `checkpoint.save` takes.

    Raises:
        UsageError: if no library can be searched in the run's space.
        RunError: if the written model, read back, does not reproduce the trained one.
    """
    require_searchable(run.space)
    checkpoint.save(
        to,
        name=run.config.name,
        denoiser=run.net,
        contrastive=tower,
        schedule=run.config.diffusion.schedule,
        prediction=run.config.diffusion.prediction,
        anchor_share=anchor_share,
        whitening_power=run.space.power,
        **statistics(run.space),
        **more,
    )
    written = checkpoint.load(str(to), "cpu")
    error = difference(run.net, written.denoiser)
    if error > TOLERANCE:
        raise RunError(f"the model in {to} differs from the trained one by {error:.1e}")


def difference(trained: Network, written: Network) -> float:
    """Mean squared difference of two networks' outputs without words, relative to their size."""
    shape, generator = trained.config, torch.Generator().manual_seed(0)
    x = torch.randn(2, shape.frames, shape.dim, generator=generator)
    t, no_words = torch.tensor([999, 400]), torch.zeros(2, 1, dtype=torch.bool)
    width = shape.text_width
    pooled = getattr(shape, "pooled_width", 0) or width
    blank = (torch.zeros(2, 1, width), no_words, torch.zeros(2, pooled))
    with torch.inference_mode():
        a = trained(x, t, trained.read(*blank))
        b = written(x, t, written.read(*blank))
    return float((a - b).square().mean() / a.square().mean().clamp_min(1e-12))


def require_searchable(space: Space) -> None:
    """Refuse a space that no library is in: one keeps an encoder's latents and whitens each axis.

    Raises:
        UsageError: naming the setting.
    """
    if not space.per_axis:
        raise UsageError("data.floor and data.components make a space that no library is kept in")
    scaled = (space.sd == space.spread).all() or space.along is not None
    if space.power and not scaled:
        raise UsageError("data.power above 0 needs data.standardise, to be searched with --model")
