"""Training losses of the denoisers, and the augmentation of their captions.

Shapes: x0, eps and predictions (B, T, D), times (B,). Randomness comes in as a generator.

- `denoising`: mean squared error on v, x0 or eps, weighted by min-SNR-gamma (Hang et al. 2023);
- `nt_xent`: contrast between the time-means of prediction and target (Chen et al. 2020), an
  optional term of the method;
- `consistency`: distillation of a trained network into one that needs one or two steps (Song et
  al. 2023; with a guided teacher and a DDIM step, as in Luo et al. 2023);
- `repeat_short`: augmentation.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from gdr_model.diffusion.prediction import check, target
from gdr_model.diffusion.schedule import Schedule

GAMMA = 5.0
TAU = 0.1
SHORT_CHARS = 77
"""Upstream repeats prompts with fewer characters than this."""

AtTimes = Callable[[Tensor, Tensor], Tensor]
"""A network under the captions of a batch: v (B, T, D) at x (B, T, D) and times (B,)."""


def min_snr(t: Tensor, schedule: Schedule, prediction: str, gamma: float = GAMMA) -> Tensor:
    """Weights (B,) of squared errors: min(SNR, gamma) for x0, and the same loss for the others.

    An error d in v is an error of d sqrt(1 - a) in x0; an error d in eps one of d / sqrt(SNR).
    """
    check(prediction)
    signal, noise = (level.flatten() for level in schedule.levels(t))
    snr = (signal / noise) ** 2
    clipped = snr.clamp(max=gamma)
    if prediction == "x0":
        return clipped
    return clipped / (snr + 1) if prediction == "v" else clipped / snr


def denoising(
    output: Tensor,
    x0: Tensor,
    eps: Tensor,
    t: Tensor,
    schedule: Schedule,
    prediction: str = "v",
    gamma: float | None = GAMMA,
    mean_weight: float = 0.0,
) -> Tensor:
    """The training loss, a scalar; `gamma` None is the plain mean squared error.

    The error of the time-mean is added with `mean_weight`: at 1 it counts as much as the rest of
    a passage that was whitened along time.
    """
    error = output - target(x0, eps, t, schedule, prediction)
    errors = error.square().mean(dim=(1, 2))  # (B,)
    if mean_weight:
        errors = errors + mean_weight * error.shape[1] * error.mean(1).square().mean(1)
    if gamma is not None:
        errors = errors * min_snr(t, schedule, prediction, gamma)
    return errors.mean()


def nt_xent(estimates: Tensor, targets: Tensor, tau: float = TAU) -> Tensor:
    """Contrast, a scalar: each estimated time-mean (B, D) should be nearest to its own target.

    Both directions count, as in CLIP (Radford et al. 2021).
    """
    scores = F.normalize(estimates, dim=1) @ F.normalize(targets, dim=1).T / tau  # (B, B)
    diagonal = torch.arange(len(scores), device=scores.device)
    return (F.cross_entropy(scores, diagonal) + F.cross_entropy(scores.T, diagonal)) / 2


def consistency(
    student: AtTimes,
    averaged: AtTimes,
    teacher: AtTimes,
    x0: Tensor,
    eps: Tensor,
    t: Tensor,
    to: Tensor,
    schedule: Schedule,
) -> Tensor:
    """Consistency distillation, a scalar: two states of one path should have the same end.

    The teacher, guided or not, takes the noised x0 from times t (B,) one DDIM step to times
    `to` (B,), -1 where that is clean data. The student's estimate at t should equal that of
    `averaged`, a running mean of the student, at `to`. With v-prediction the estimate is the state
    itself where there is no noise, so the boundary condition needs no further factors.
    """
    x = schedule.add_noise(x0, eps, t)
    signal, noise = schedule.levels(t)
    signal_to, noise_to = schedule.levels(to)
    with torch.no_grad():
        v = teacher(x, t)
        nearer = signal_to * (signal * x - noise * v) + noise_to * (noise * x + signal * v)
        # No network knows time -1; its answer there has the factor 0.
        end = signal_to * nearer - noise_to * averaged(nearer, to.clamp(min=0))
    estimate = signal * x - noise * student(x, t)
    # Pseudo-Huber (Song & Dhariwal 2024), which the few large errors of early training
    # do not dominate.
    c = 0.00054 * estimate[0].numel() ** 0.5
    squares = (estimate - end).square().sum(dim=(1, 2))
    loss: Tensor = ((squares + c**2).sqrt() - c).mean() / estimate[0].numel() ** 0.5
    return loss


def repeat_short(prompt: str, rng: random.Random, chance: float = 0.3) -> str:
    """Upstream's augmentation: sometimes a short prompt is repeated until it is long."""
    if not prompt or len(prompt) >= SHORT_CHARS or rng.random() >= chance:
        return prompt
    times = -(-SHORT_CHARS // (len(prompt) + 1))
    return " ".join([prompt] * max(2, times))
