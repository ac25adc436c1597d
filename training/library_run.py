"""`gdr train --library DIR`: a retriever for the user's own music, without captions.

The words of a track come from its tags, from the folders it lies in, and from the model itself: the
phrases of `training.builtin.vocabulary` whose contrastive vector is nearest to the track, relative
to all tracks. The model's denoiser goes on learning from them; encoder, tower, space and index stay
as they are, so nothing has to be indexed again. The result is a model folder for `--model`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gdr_model import checkpoint
from gdr_model.checkpoint import Model
from gdr_model.diffusion.denoisers import describe
from gdr_model.errors import UsageError
from gdr_model.library import Library
from gdr_model.types import Array
from training.builtin import vocabulary
from training.config import RunConfig
from training.corpus import Corpus, embed, minilm
from training.dataset import Dataset, Item, Splits
from training.space import Space
from training.state import load_model
from training.steered import words_of
from training.train import Progress, train

LEAST = 10
"""Tracks below which there is nothing to learn from."""
FOLDS = 10
HEARD = 4
"""Zero-shot phrases of a track."""


@dataclass(frozen=True)
class Used:
    """What the captions of a library were made of."""

    tracks: int
    tagged: int
    """Tracks with words from tags or folders."""
    captions: int
    common: tuple[str, ...]
    """The words that most tracks have."""


def phrases() -> list[str]:
    """How the vocabulary's kinds of music, instruments and moods are plainly called."""
    found = [text.split("|")[0] + " music" for text in vocabulary.GENRES.values()]
    found += [text.split("|")[0] + " music" for text in vocabulary.MOODS.values()]
    found += [text.split("|")[0] for text in vocabulary.INSTRUMENTS.values()]
    return list(dict.fromkeys(found))


def heard(model: Model, vectors: Array) -> list[list[str]]:
    """The `HEARD` phrases nearest to each unit vector (R, D), relative to all of them."""
    said = phrases()
    pooled = np.concatenate([minilm().embed([phrase]).pooled for phrase in said])
    with torch.inference_mode():
        rows = model.contrastive(torch.from_numpy(pooled)).numpy()
    scores = vectors @ rows.T  # (R, phrases)
    scores = (scores - scores.mean(0)) / np.maximum(scores.std(0), 1e-6)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :HEARD]
    return [[said[i] for i in row] for row in best]


def library_corpus(model: Model, library: Library, seed: int) -> tuple[Corpus, Used]:
    """An indexed library as a captioned set.

    Raises:
        UsageError: if it holds too few tracks.
    """
    encoded = library.encoded(model.space)
    tracks = {t.content: t for t in reversed(library.tracks()) if t.content in encoded}
    if len(tracks) < LEAST:
        raise UsageError(
            f"{library.root} holds {len(tracks)} tracks this model has indexed; {LEAST} are needed"
        )
    latents = [library.latents(content, model.space).astype(np.float32) for content in tracks]
    vectors = model.whitening.apply(np.stack([track.mean(0) for track in latents]))
    items: list[Item] = []
    counted: Counter[str] = Counter()
    tagged = 0
    for (content, track), own in zip(tracks.items(), heard(model, vectors), strict=True):
        words = sorted(words_of(track.path, library.root))
        counted.update(words)
        tagged += bool(words)
        said = [", ".join(words)] if words else []
        said += [own[0], " with ".join(own[:2]), ", ".join([*words[:2], *own])]
        items += [Item(content, caption) for caption in dict.fromkeys(said)]
    dataset = Dataset(library.root.name, tuple(items))
    captions = tuple(dict.fromkeys(item.caption for item in items))
    number = {caption: i for i, caption in enumerate(captions)}
    column = {content: i for i, content in enumerate(tracks)}
    corpus = Corpus(
        name=dataset.name,
        tracks=tuple(tracks),
        latents=tuple(latents),
        captions=captions,
        caption_of=np.array([number[item.caption] for item in items], np.int64),
        track_of=np.array([column[item.track] for item in items], np.int64),
        texts=embed(captions),
        splits=Splits.folds(dataset, min(FOLDS, len(tracks)), seed),
    )
    common = tuple(word for word, _ in counted.most_common(8))
    return corpus, Used(len(tracks), tagged, len(captions), common)


def train_library(
    config: RunConfig,
    library: Library,
    model: Model,
    folder: Path,
    *,
    resume: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> tuple[dict[str, Any], Used]:
    """Go on training a model's denoiser on a library; `folder/model` is the result.

    Raises:
        UsageError: if the library is too small.
    """
    corpus, used = library_corpus(model, library, config.optimiser.seed)
    network = describe(model.denoiser)
    captions = replace(config.captions, blended=0.0, written=0, written_share=0.0)
    diffusion = replace(
        config.diffusion,
        prediction=model.config.prediction,
        schedule=model.schedule,
        mean_weight=0.0 if model.latent_along is None else 1.0,
    )
    config = replace(config, network=network, captions=captions, diffusion=diffusion)
    mean, sd = model.latent_mean.cpu().numpy(), model.latent_sd.cpu().numpy()
    eye = np.eye(len(sd), dtype=np.float32)
    scale = model.mean_sd.cpu().numpy()
    along = None
    if model.latent_along is not None:
        along = (model.latent_along / model.latent_along[0]).cpu().numpy()
    space = Space(mean, eye, scale, sd, 0.0, model.whitening.power, along)
    found = train(
        config,
        "0",
        folder,
        resume=resume,
        corpus=corpus,
        space=space,
        start=model.denoiser,
        on_progress=on_progress,
    )
    checkpoint.save(
        folder / "model",
        name=folder.absolute().name,
        net=model.encoder.net,
        projection=model.encoder.projection,
        denoiser=load_model(folder).net,
        contrastive=model.contrastive,
        schedule=model.schedule,
        latent_mean=model.latent_mean,
        latent_sd=model.latent_sd,
        latent_along=model.latent_along,
        whitening_power=model.whitening.power,
        anchor_share=model.config.anchor_share,
        prediction=model.config.prediction,
    )
    return found, used
