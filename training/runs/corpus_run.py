"""`gdr train`: a run on a captioned set, with one part of its tracks held out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from gdr_model.diffusion.denoisers import Network
from gdr_model.types import Cancel, never
from training.data.corpus import Corpus, read_corpus
from training.runs import state
from training.runs.batches import Pairs
from training.runs.config import RunConfig
from training.runs.known import SPLITS, as_trained, write_known
from training.runs.processes import ALONE, Processes
from training.runs.run_input import RunInput
from training.runs.space import Space
from training.runs.train import TrainingProgress, network, train
from training.runs.validation import Retrieval


def train_on_corpus(
    config: RunConfig,
    part: str,
    folder: Path,
    *,
    resume: bool = False,
    corpus: Corpus | None = None,
    space: Space | None = None,
    start: Network | None = None,
    device: torch.device | None = None,
    among: Processes = ALONE,
    on_progress: Callable[[TrainingProgress], None] = lambda _: None,
    cancelled: Cancel = never,
) -> dict[str, Any]:
    """Train with `part` held out, and leave model and report in `folder`; returns the metrics.

    `corpus` and `space` replace what the configuration reads and fits, `start` a fresh network.

    Raises:
        UsageError: if the folder already holds a run and `resume` is not set.
        RunError: if there is nothing to resume, or it is another run.
        Cancelled: between steps, when asked; what was done is kept.
    """
    state.require_free(folder, resume)
    corpus = corpus or read_corpus(config.data)
    if resume and (folder / SPLITS).exists():
        corpus = as_trained(corpus, folder)
    given = corpus_input(config, part, corpus, space, start)
    among.wait()  # until all have seen the folder as it was
    if not resume and among.first:
        folder.mkdir(parents=True, exist_ok=True)
        corpus.splits.save(folder / SPLITS)
        write_known(folder, corpus, corpus.divided(part, config.data.validation))
    return train(
        config,
        given,
        folder,
        resume=resume,
        device=device,
        among=among,
        on_progress=on_progress,
        cancelled=cancelled,
    )


def corpus_input(
    config: RunConfig,
    part: str,
    corpus: Corpus,
    space: Space | None = None,
    start: Network | None = None,
) -> RunInput:
    """What the trainer learns from, with a part of a corpus held out."""
    division = corpus.divided(part, config.data.validation)
    kept = [track for track, ours in zip(corpus.latents, division.trained, strict=True) if ours]
    space = space or Space.fit(config.data, kept)
    net = start if start is not None else network(config, space.dim, corpus.texts)
    pairs = Pairs(corpus, part, space, config, net.config.frames)
    counts = {
        "tracks": len(kept),
        "captions": len(pairs.caption),
        "written_captions": len(pairs.written_caption),
        "validation_tracks": int(division.validation.sum()),
        "validation_captions": int(division.checked.sum()),
        "held_out_tracks": int(division.held_out.sum()),
        "held_out_captions": int(division.asked.sum()),
        "left_out_captions": division.left_out,
        "repeated_captions": division.repeated or division.checked_repeated,
        "tracks_kept_together": sum(map(len, corpus.splits.together)),
    }
    return RunInput(pairs, space, net, part, Retrieval(config, corpus, part, space), counts)
