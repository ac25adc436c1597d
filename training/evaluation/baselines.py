"""What generation is measured by: everything that answers a prompt with one point, or with none.

ridge        closed form from pooled text to standardised time-means; alpha is chosen by inner
             folds of the training tracks; with and without the written captions
regression   the run's own network, trained to give the latent in one step from nothing
contrastive  a two-tower InfoNCE map from pooled text to the search space
class names  no training: likeness of the words to the names of the classes, times z-scored
             log probabilities; for arrays whose dimensions have names
arithmetic   q - w n of unit queries, for negatives and sliders
re-prompting a new query from the words of the source and of the edit together

All see the same training tracks and the same captions. Shapes: I items, R tracks, E text width,
D latent width, P prompts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from gdr_model.diffusion.denoisers import Network
from gdr_model.diffusion.loss import nt_xent
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training.data.corpus import Corpus
from training.data.texts import Texts
from training.evaluation.drawing import Drawer
from training.runs.batches import Pairs
from training.runs.config import RunConfig
from training.runs.ema import Ema
from training.runs.space import Space
from training.runs.train import adamw, network, rate_at

ALPHAS = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
INNER_FOLDS = 4
WRITTEN_WEIGHT = 0.1
"""Weight of a written caption in ridge; a person's has 1."""
TEMPERATURE = 0.07
NAME_TEMPERATURE = 0.1
FLOOR = 1e-5
"""Added to probabilities before the logarithm, where the run does not say."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Ridge:
    """A linear map with a mean on either side."""

    weight: Doubles  # (E, D)
    centre: Doubles  # (E,)
    middle: Doubles  # (D,)
    alpha: float

    def __call__(self, pooled: Array) -> Array:
        """Pooled text (P, E) to standardised latents (P, D)."""
        return np.asarray((pooled - self.centre) @ self.weight + self.middle, np.float32)

    @classmethod
    def solve(cls, text: Array, wanted: Array, shares: Doubles, alpha: float) -> Ridge:
        """From pairs (I, E), (I, D) and their weights (I,)."""
        x, y = text.astype(np.float64), wanted.astype(np.float64)
        centre: Doubles = np.asarray(np.average(x, 0, shares))
        middle: Doubles = np.asarray(np.average(y, 0, shares))
        x, y = x - centre, y - middle
        gram = (x * shares[:, None]).T @ x + alpha * np.eye(x.shape[1])
        weight: Doubles = np.asarray(np.linalg.solve(gram, (x * shares[:, None]).T @ y))
        return cls(weight, centre, middle, alpha)


def ridge(pairs: Pairs, space: Space, *, written: bool) -> Ridge:
    """Ridge on people's captions, and where asked on written ones beside them."""
    caption, track, means = pairs.targets()
    shares = np.ones(len(caption))
    if written:
        caption = np.concatenate([caption, pairs.written_caption])
        track = np.concatenate([track, pairs.written_track])
        more = np.full(len(pairs.written_caption), WRITTEN_WEIGHT)
        shares = np.concatenate([shares, more])
    text = pairs.texts.pooled[caption]
    fold = np.random.default_rng(pairs.config.optimiser.seed).permutation(len(means)) % INNER_FOLDS
    people = len(pairs.caption)
    found = {}
    for alpha in ALPHAS:
        mean_rank = []
        for inner in range(INNER_FOLDS):
            away = fold[track] == inner
            asked = np.flatnonzero(away[:people])
            if not len(asked) or away.all():
                continue
            fitted = Ridge.solve(text[~away], means[track[~away]], shares[~away], alpha)
            scores = space.search(fitted(text[asked])) @ space.search(means).T
            own = scores[np.arange(len(asked)), track[asked]]
            mean_rank.append(np.log1p((scores > own[:, None]).sum(1)).mean())
        found[alpha] = float(np.mean(mean_rank)) if mean_rank else 0.0
    best = min(found, key=lambda alpha: found[alpha])
    return Ridge.solve(text, means[track], shares, best)


def regression(
    pairs: Pairs, space: Space, corpus: Corpus, config: RunConfig, contrast: float = 0.0
) -> Drawer:
    """The network of a run, trained as long on the same batches to answer in one step.

    `contrast` is the weight of the contrast between time-means, which the run has beside its
    denoising loss.
    """
    diffusion = replace(config.diffusion, prediction="x0")
    net: Network = network(config, space.dim, corpus.texts)
    ema, optimiser = Ema(net, config.optimiser.ema), adamw(net, config)
    last = config.diffusion.schedule.times - 1
    for step in range(config.optimiser.steps):
        batch = pairs.batch(step)
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, config)
        net.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed((config.optimiser.seed * 1_000_003 + step) % 2**63)
            times = torch.full((len(batch.x0),), last)
            context = net.read(batch.states, batch.mask, batch.pooled)
            answer = net(torch.zeros_like(batch.x0), times, context)
            value = F.mse_loss(answer, batch.x0)
            if contrast:
                d = config.diffusion
                apart = nt_xent(answer, answer, batch.x0, times, d.schedule, "x0", d.tau)
                value = value + contrast * apart
            optimiser.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), config.optimiser.clip)
        optimiser.step()
        ema.update(net)
    net.load_state_dict(ema.weights)
    net.eval()
    return Drawer(net, diffusion.schedule, "x0")


def contrastive(pairs: Pairs, space: Space, config: RunConfig) -> ContrastiveTower:
    """A two-tower model, InfoNCE in both directions, on the batches of the run."""
    o = config.optimiser
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(o.seed)
        tower = ContrastiveTower(pairs.texts.pooled.shape[1], space.dim)
        optimiser = torch.optim.AdamW(tower.parameters(), 1e-3, weight_decay=0.05)
        steps = min(o.steps, 600)
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = 1e-3 * 0.5 * (1 + math.cos(math.pi * step / steps))
            batch = pairs.batch(step)
            wanted = torch.from_numpy(space.search(batch.x0.mean(1).numpy()))
            scores = tower(batch.pooled) @ wanted.T / TEMPERATURE  # (B, B)
            # Two captions of one track in a batch are both right.
            same = (wanted @ wanted.T > 1 - 1e-5).float()
            same = same / same.sum(1, keepdim=True)
            value = F.cross_entropy(scores, same) + F.cross_entropy(scores.T, same)
            optimiser.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return tower.eval()


def tower_scores(tower: ContrastiveTower, pooled: Array, gallery: Array, space: Space) -> Array:
    """Scores (P, R) of the two-tower model."""
    with torch.inference_mode():
        rows = tower(torch.from_numpy(pooled)).numpy()
    return np.asarray(rows @ space.search(gallery).T)


def class_names(
    text: Array, names: Texts, known: Array, logs: Array, train: NDArray[np.bool_]
) -> Array:
    """Scores (P, R) without training: words to class names, class names to z-scored logs (R, K).

    A class that is like every caption says nothing: its likeness is taken relative to what
    the training captions `known` have on average.
    """
    labels = unit(names.pooled)
    alike, usual = unit(text) @ labels.T, (unit(known) @ labels.T).mean(0)  # (P, K), (K,)
    weights = np.exp((alike - usual) / NAME_TEMPERATURE)
    weights = weights / weights.sum(1, keepdims=True)
    z = (logs - logs[train].mean(0)) / np.maximum(logs[train].std(0), 1e-6)
    return np.asarray(unit(weights - weights.mean(1, keepdims=True)) @ unit(z).T)


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
