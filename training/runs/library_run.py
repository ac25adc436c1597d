"""`gdr train --library DIR`: a retriever for the user's own music, without captions.

The words of a track come from its tags, from the folders it is in, and from the model itself: the
phrases of `training.words.vocabulary` whose contrastive vectors are nearest to the track, relative
to all tracks. Training of the model's denoiser continues on them; encoder, tower, space and index
stay as they are, so nothing has to be indexed again. A bare pair gets a new denoiser and tower; if
its words and sound share no space, it can pick no phrases, and only tags and folders are used. The
result is a model folder for `--model`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gdr_model.diffusion.denoisers import describe
from gdr_model.errors import UsageError
from gdr_model.models.checkpoint import Model
from gdr_model.store.library import Library
from gdr_model.types import Array
from training.data import Dataset, Item, Splits
from training.data.corpus import Corpus
from training.data.folder import words_of
from training.data.splits import NOTHING
from training.data.texts import embed
from training.retrievers.export import export
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.processes import ALONE, Processes
from training.runs.space import Space
from training.runs.train import TrainingProgress
from training.words import vocabulary

LEAST = 10
"""Fewer tracks are not enough to learn from."""
PHRASES = 4
"""Zero-shot phrases per track."""


@dataclass(frozen=True)
class Used:
    """The sources of a library's captions."""

    tracks: int
    tagged: int
    """Tracks with words from tags or folders."""
    phrased: int
    """Tracks with words that the model picked."""
    captions: int
    common: tuple[str, ...]
    """The most frequent words."""


def phrases() -> list[str]:
    """Plain names for the vocabulary's genres, moods and instruments."""
    names = [text.split("|")[0] + " music" for text in vocabulary.GENRES.values()]
    names += [text.split("|")[0] + " music" for text in vocabulary.MOODS.values()]
    names += [text.split("|")[0] for text in vocabulary.INSTRUMENTS.values()]
    return list(dict.fromkeys(names))


def nearest_phrases(model: Model, vectors: Array) -> list[list[str]]:
    """The `PHRASES` phrases nearest to each unit vector (R, D), relative to all vectors."""
    names = phrases()
    pooled = torch.from_numpy(model.text.embed(names).pooled).to(model.device)
    with torch.inference_mode():
        rows = model.contrastive(pooled).cpu().numpy()
    scores = vectors @ rows.T  # (R, phrases)
    scores = (scores - scores.mean(0)) / np.maximum(scores.std(0), 1e-6)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :PHRASES]
    return [[names[i] for i in row] for row in best]


def library_corpus(model: Model, library: Library) -> tuple[Corpus, Used]:
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
    zero_shot = model.networks is not None or model.config.pair.shared
    phrased: list[list[str]] = [[] for _ in tracks]
    if zero_shot:
        phrased = nearest_phrases(
            model, model.whitening.apply(np.stack([t.mean(0) for t in latents]))
        )
    items: list[Item] = []
    counted: Counter[str] = Counter()
    tagged = 0
    for (content, track), own in zip(tracks.items(), phrased, strict=True):
        words = sorted(words_of(track.path, library.root))
        counted.update(words)
        tagged += bool(words)
        said = [", ".join(words)] if words else []
        if own:
            said += [own[0], " with ".join(own[:2]), ", ".join([*words[:2], *own])]
        items += [Item(content, caption) for caption in dict.fromkeys(said)]
    if not items:
        raise UsageError(
            f"the tracks of {library.root} have no tags and no folders to make captions of, and "
            f"{model.name} cannot pick phrases for them"
        )
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
        texts=embed(captions, model.text),
        splits=Splits.undivided(dataset, len(tracks) // LEAST),
        model=model.config.argument,
        space=model.space,
        text_encoder=model.config.text.name,
    )
    common = tuple(word for word, _ in counted.most_common(8))
    return corpus, Used(len(tracks), tagged, sum(map(bool, phrased)), len(captions), common)


def train_library(
    config: RunConfig,
    library: Library,
    model: Model,
    folder: Path,
    *,
    resume: bool = False,
    among: Processes = ALONE,
    on_progress: Callable[[TrainingProgress], None] = lambda _: None,
) -> tuple[dict[str, Any], Used]:
    """Train a model's denoiser on a library, on the model's device; `folder/model` is the result.

    Nothing is held out; a share of the tracks validates.

    Raises:
        UsageError: if the library is too small, or says nothing of its tracks.
    """
    corpus, used = library_corpus(model, library)
    captions = replace(config.captions, blended=0.0, written=0, written_share=0.0)
    # The set is this library, whatever set the configuration names.
    data = replace(config.data, path="", labels="", held_out="")
    config = replace(config, captions=captions, data=data)
    if model.networks is None:
        found = train_on_corpus(
            config,
            NOTHING,
            folder,
            resume=resume,
            corpus=corpus,
            device=model.device,
            among=among,
            on_progress=on_progress,
        )
        if among.first:
            export(folder, corpus, model, model.device)
        return found, used
    network = describe(model.denoiser)
    diffusion = replace(
        config.diffusion,
        prediction=model.config.prediction,
        schedule=model.schedule,
        mean_weight=0.0 if model.latent_along is None else 1.0,
    )
    config = replace(config, network=network, diffusion=diffusion)
    mean, sd = model.latent_mean.cpu().numpy(), model.latent_sd.cpu().numpy()
    eye = np.eye(len(sd), dtype=np.float32)
    scale = model.mean_sd.cpu().numpy()
    along = None
    if model.latent_along is not None:
        along = (model.latent_along / model.latent_along[0]).cpu().numpy()
    space = Space(mean, eye, scale, sd, 0.0, model.whitening.power, along)
    found = train_on_corpus(
        config,
        NOTHING,
        folder,
        resume=resume,
        corpus=corpus,
        space=space,
        start=model.denoiser,
        device=model.device,
        among=among,
        on_progress=on_progress,
    )
    if among.first:
        export(folder, corpus, model)
    return found, used
