"""Baselines: everything that answers a caption with one point, or with none.

ridge        closed form from pooled text to standardised time-means; alpha is chosen by inner
             folds of the training tracks; with and without the written captions
regression   the run's own network, trained to predict the latent in one step; with and without the
             contrast between time-means that the run has in its loss; runs of more than 2,000 steps
             have one of 4 % of their length
class names  no training: similarity of the words to the names of the classes, times z-scored log
             probabilities; for arrays whose dimensions have names
arithmetic   q - w n of unit queries, for negatives and sliders

All use the same training tracks and the same captions. What has a point is ranked by the
`Retriever`, as a query. Shapes: I items, R tracks, E text width, D latent width, P prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gdr_model.diffusion.denoisers import Network
from gdr_model.diffusion.loss import nt_xent
from gdr_model.diffusion.schedule import Schedule
from gdr_model.search.whitening import unit
from gdr_model.types import Array, TextEmbedding
from training.data.corpus import Corpus
from training.data.division import Division
from training.data.texts import Texts, embed
from training.evaluation.ridge import Ridge, best_alpha
from training.runs.batches import Pairs
from training.runs.config import RunConfig
from training.runs.ema import Ema
from training.runs.run_input import TrainingBatch
from training.runs.space import Space
from training.runs.state import Finished
from training.runs.train import adamw, network, one_step

RIDGE, RIDGE_WRITTEN = "ridge, people's captions", "ridge, written ones too"
HALF_NAMES, NAMES = "ridge, half class names", "class names, no training"
REGRESSION, CONTRAST = "one-step regression", "one-step regression, contrast"

WRITTEN_WEIGHT = 0.1
"""Weight of a written caption in ridge; a person's has 1."""
NAME_TEMPERATURE = 0.1
PROMPTS = 64
"""Prompts in one batch."""
LONG, OF_LONG = 2000, 0.04
"""Steps up to which a regression is trained as long as its run, and its share of longer runs."""
FLOOR = 1e-5
"""Added to probabilities before the logarithm, if the run sets no floor."""


def ridge(pairs: Pairs, space: Space, *, written: bool) -> Ridge:
    """Ridge on people's captions, and if `written`, on the written ones too."""
    caption, track, means = pairs.targets()
    shares = np.ones(len(caption))
    if written:
        caption = np.concatenate([caption, pairs.written_caption])
        track = np.concatenate([track, pairs.written_track])
        more = np.full(len(pairs.written_caption), WRITTEN_WEIGHT)
        shares = np.concatenate([shares, more])
    text, seed, people = pairs.texts.pooled[caption], pairs.config.optimiser.seed, pairs.caption
    alpha = best_alpha(text, means, track, shares, space.search, seed, asked=len(people))
    return Ridge.solve(text, means[track], shares, alpha)


def regression_steps(config: RunConfig) -> int:
    """How long a regression is trained: as long as the run, but for long runs a fraction of it."""
    steps = config.optimiser.steps
    return min(steps, max(LONG, round(steps * OF_LONG)))


def regression(
    pairs: Pairs,
    space: Space,
    corpus: Corpus,
    config: RunConfig,
    contrast: float = 0.0,
    device: torch.device | None = None,
) -> Network:
    """The network of a run, trained on the same batches to answer in one step.

    `contrast` is the weight of the contrast between time-means.
    """
    device = device or torch.device("cpu")
    config = replace(config, optimiser=replace(config.optimiser, steps=regression_steps(config)))

    def error(net: Network, batch: TrainingBatch, config: RunConfig, step: int) -> Tensor:
        d = config.diffusion
        times = _last(d.schedule, len(batch.x0)).to(batch.x0.device)
        answer = _answer(net, times, batch.states, batch.mask, batch.pooled)
        value = F.mse_loss(answer, batch.x0)
        worded = batch.mask.any(1)  # without words all answers are one
        if contrast and worded.any():
            means = answer[worded].mean(1), batch.x0[worded].mean(1)
            value = value + contrast * nt_xent(*means, d.tau)
        return value

    net = network(config, space.dim, corpus.texts).to(device)
    ema, optimiser = Ema(net, config.optimiser.ema), adamw(net, config)
    for step in range(config.optimiser.steps):
        one_step(net, pairs.batch(step).to(device), optimiser, config, step, error)
        ema.update(net)
    net.load_state_dict(ema.weights)
    return net.eval()


def regress(net: Network, text: TextEmbedding, schedule: Schedule) -> Array:
    """What a network trained by `regression` answers to prompts: standardised time-means (P, D)."""
    parts = []
    with torch.inference_mode():
        for first in range(0, len(text.pooled), PROMPTS):
            rows = slice(first, first + PROMPTS)
            states, mask, pooled = (
                torch.from_numpy(part[rows]).to(net.null.device)
                for part in (text.states, text.mask, text.pooled)
            )
            times = _last(schedule, len(pooled)).to(pooled.device)
            answer = _answer(net, times, states, mask, pooled)
            parts.append(answer.mean(1).cpu().numpy())
    return np.concatenate(parts)


def _last(schedule: Schedule, count: int) -> Tensor:
    return torch.full((count,), schedule.times - 1)


def _answer(net: Network, times: Tensor, states: Tensor, mask: Tensor, pooled: Tensor) -> Tensor:
    """The output (P, T, D) for no input but the words, at the highest noise."""
    nothing = torch.zeros(len(pooled), net.config.frames, net.config.dim, device=pooled.device)
    output: Tensor = net(nothing, times, net.read(states, mask, pooled))
    return output


def class_names(
    text: Array, names: Texts, known: Array, logs: Array, train: NDArray[np.bool_]
) -> Array:
    """Scores (P, R) without training: words to class names, class names to z-scored logs (R, K).

    A class that resembles every caption says nothing, so its similarity is taken relative to that
    of the training captions `known` on average.
    """
    labels = unit(names.pooled)
    alike, usual = unit(text) @ labels.T, (unit(known) @ labels.T).mean(0)  # (P, K), (K,)
    weights = np.exp((alike - usual) / NAME_TEMPERATURE)
    weights = weights / weights.sum(1, keepdims=True)
    z = (logs - logs[train].mean(0)) / np.maximum(logs[train].std(0), 1e-6)
    return np.asarray(unit(weights - weights.mean(1, keepdims=True)) @ unit(z).T)


def class_scores(run: Finished, corpus: Corpus, division: Division) -> Array | None:
    """Scores (P, R) by the names of the classes; None if the arrays have no names."""
    if not corpus.labels:
        return None
    logs = np.log(corpus.means + (run.config.data.floor or FLOOR))
    asked, known = corpus.caption_of[division.asked], corpus.caption_of[division.items]
    pooled = corpus.texts.pooled
    names = embed(corpus.labels, corpus.reader)
    return class_names(pooled[asked], names, pooled[known], logs, division.trained)


def mixed(first: Array, second: Array) -> Array:
    """Half of each of two tables of scores, prompt by prompt on one scale."""

    def scaled(scores: Array) -> Array:
        return np.asarray((scores - scores.mean(1, keepdims=True)) / scores.std(1, keepdims=True))

    return np.asarray((scaled(first) + scaled(second)) / 2, np.float32)


def arithmetic(query: Array, others: Sequence[tuple[Array, float]]) -> Array:
    """Unit query plus weighted unit queries; the plain rival of negatives and sliders."""
    moved = unit(query)
    for vector, weight in others:
        moved = moved + np.float32(weight) * unit(vector)
    return unit(moved)
