"""The tower that is fused with a run's draws, its share of a score, and what corrects the draws.

The tower is trained on the run's own batches. Its share, unless the configuration sets it, is the
one that ranks the captions of the validation part best, which neither the network nor the tower was
trained on; the part that is held out has no say in it. Draws are corrected by those of the borrowed
captions in the bank, if there is one. All of this is made once and kept in the run's folder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from gdr_model.encoders.builtin.tower import ContrastiveTower, by_members
from gdr_model.search.drawing import Drawer
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training import metrics
from training.data.config import resolved
from training.data.corpus import Corpus
from training.data.texts import Texts
from training.retrievers.gallery import gallery
from training.retrievers.run_model import CaptionReader, latent_space, run_model, stored
from training.retrievers.together import queries
from training.retrievers.tower import train_tower
from training.runs.batches import Pairs, PairsOfPoints
from training.runs.config import DrawConfig, RunConfig
from training.runs.space import Space
from training.runs.state import Finished, RunError, read_tensors, save_tensors
from training.runs.validation import VALIDATED, below
from training.words.borrowed import read_labelled
from training.words.named import named_classes

TOWER = "tower.safetensors"
COMMON = "common_points"
TOWER_STEPS = 600
SHARES = tuple(round(0.1 * tenth, 1) for tenth in range(10))
UNMEASURED = 0.5
"""The share where too few captions are there to choose it on."""
LEAST = 20
"""Captions that are enough."""


@dataclass(frozen=True)
class Fused:
    """A tower and its share."""

    tower: ContrastiveTower
    share: float
    captions: int
    """How many the share was chosen on; 0 where there were too few, or it was set."""
    common_points: Array | None = None
    """(B, D) mean draws of the captions in the bank."""


def fused(folder: Path, run: Finished, corpus: Corpus, device: torch.device) -> Fused:
    """What the run in a folder is fused with, read from there or made and kept there.

    Raises:
        RunError: if what is kept is damaged.
    """
    kept = folder / TOWER
    if kept.is_file():
        return _read(kept, device)
    pairs = Pairs(corpus, run.part, run.space, run.config, run.net.config.frames)
    tower = tower_of(pairs, run.space, run.config, device)
    if run.config.captions.classes:
        rows = read_labelled(resolved(run.config.captions.borrowed))
        usual = unit(pairs.texts.pooled[pairs.caption]).mean(0)
        tower.named = named_classes(rows, corpus, usual, run.space).to(device)
    tensors, points = dict(tower.state_dict()), None
    if len(pairs.bank):
        points = common_points(run, corpus, tower, pairs)
        tensors[COMMON] = torch.from_numpy(points)
    share, captions = run.config.tower_share, 0
    if share is None:
        share, captions = chosen_share(run, corpus, tower, points)
    about = {"share": share, "captions": captions, **tower.shape}
    save_tensors(kept, tensors, about)
    return Fused(tower, share, captions, points)


def common_points(run: Finished, corpus: Corpus, tower: ContrastiveTower, pairs: Pairs) -> Array:
    """The mean draws (B, D) of `gdr search` for the captions in the bank."""
    model = run_model(run, corpus, tower, 0.0)
    names = tuple(f"caption {row}" for row in pairs.bank)
    pooled = pairs.texts.pooled[pairs.bank]
    texts = Texts.of_pooled(pooled, corpus.texts.tokens.shape[1])
    model.text = CaptionReader(corpus, names, texts)
    drawer = Drawer(model, lambda path: np.empty(0, np.float32))
    steerings = [DrawConfig().steering(name, run.config.optimiser.seed) for name in names]
    return np.stack([query.vectors.mean(0) for query in queries(drawer, steerings)])


def tower_of(
    pairs: Pairs, space: Space, config: RunConfig, device: torch.device | None = None
) -> ContrastiveTower:
    """The tower of a run, trained on the run's own batches."""
    o = config.optimiser
    steps = min(o.steps, TOWER_STEPS)
    return train_tower(PairsOfPoints(pairs, space), steps, o.seed, device=device)


def chosen_share(
    run: Finished, corpus: Corpus, tower: ContrastiveTower, points: Array | None = None
) -> tuple[float, int]:
    """The share with the best mean logarithm of the rank, and on how many captions.

    Draws are those of `gdr search`, corrected by the `points` of a bank.
    """
    division = corpus.divided(run.part, run.config.data.validation)
    rows = np.flatnonzero(division.checked)
    if len(rows) < LEAST:
        return UNMEASURED, 0
    rows = rows[:: math.ceil(len(rows) / VALIDATED)]
    asked = np.zeros_like(division.checked)
    asked[rows] = True
    right = corpus.correct(asked)
    correct, known = right & ~division.trained, right & division.trained
    captions = [corpus.captions[row] for row in corpus.caption_of[asked]]
    steerings = [DrawConfig().steering(text, run.config.optimiser.seed) for text in captions]
    model = run_model(run, corpus, tower, UNMEASURED, points)
    latents = [stored(run.space, track) for track in corpus.latents]
    costs = {}
    with gallery(corpus.tracks, latents, latent_space(run.space, corpus)) as tracks:
        retriever = Retriever(model, [tracks.library])
        drawn = queries(retriever.drawer, steerings)
        for share in SHARES:
            model.config = replace(model.config, anchor_share=share)
            scores = np.stack([tracks.scores(retriever, query) for query in drawn])
            costs[share] = float(np.log(metrics.ranks(below(scores, known), correct)).mean())
    # Of equally good ones, the nearest to the middle.
    best = min(costs, key=lambda share: (costs[share], abs(share - UNMEASURED)))
    return best, len(rows)


def _read(path: Path, device: torch.device) -> Fused:
    tensors, about = read_tensors(path)
    points = tensors.pop(COMMON, None)
    try:
        width, dim = int(about["text_width"]), int(about["dim"])
        classes, members = int(about.get("classes", 0)), int(about.get("members", 1))
        tower = ContrastiveTower(width, dim, classes, members)
        tower.load_state_dict(by_members(tensors))
        share, captions = float(about["share"]), int(about["captions"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise RunError(f"{path} is damaged; delete it, and it is made again") from error
    tower = tower.eval().requires_grad_(False).to(device)
    return Fused(tower, share, captions, None if points is None else points.numpy())
