"""Samplers: functions that take noise down a grid of times to data.

Every sampler takes a guided velocity, x (B, T, D) at the grid's first time, and the grid
(noisiest first, -1 last). Noise is a function of (seed, draw, step), so that a draw does not
depend on how many others are made with it.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from gdr_model.diffusion.guidance import Velocity
from gdr_model.diffusion.schedule import Schedule
from gdr_model.errors import Cancelled
from gdr_model.types import Cancel, never


def noise(draws: int, frames: int, dim: int, seed: int, step: int = 0) -> Tensor:
    """Unit noise (Q, T, D); that of draw i depends on (seed, i, step) alone."""
    rows = (torch.randn(frames, dim, generator=generator(seed, i, step)) for i in range(draws))
    return torch.stack(list(rows))


def generator(seed: int, draw: int, step: int) -> torch.Generator:
    """The random numbers of one draw at one step."""
    # The step's factor is 2^64 over the golden ratio, so that nearby seeds, draws and steps
    # do not share a stream.
    mixed = seed * 1_000_003 + draw + step * 0x9E3779B97F4A7C15
    return torch.Generator().manual_seed(mixed % 2**63)


def _fresh(x: Tensor, seed: int, step: int) -> Tensor:
    """Noise shaped like x (B, T, D) for the step after the first, second, ..."""
    draws, frames, dim = x.shape
    return noise(draws, frames, dim, seed, step).to(x)


def check(cancelled: Cancel) -> None:
    """Stop a walk between two steps.

    Raises:
        Cancelled: when the caller asks to stop.
    """
    if cancelled():
        raise Cancelled("the draw was stopped")


def move(x: Tensor, v: Tensor, t: int, to: int, schedule: Schedule) -> Tensor:
    """One DDIM step of x from time t to time `to`, in either direction."""
    x0, eps = schedule.x0_eps(x, v, t)
    signal, noise_to = schedule.level(to)
    return signal * x0 + noise_to * eps


def ddim(
    velocity: Velocity,
    x: Tensor,
    grid: list[int],
    schedule: Schedule,
    cancelled: Cancel = never,
    *,
    eta: float = 0.0,
    seed: int = 0,
) -> Tensor:
    """DDIM (Song, Meng & Ermon 2021): first order; `eta` 1 adds as much fresh noise as DDPM.

    Raises:
        Cancelled: between steps, when the caller asks to stop.
    """
    with torch.inference_mode():
        for step, (t, to) in enumerate(pairwise(grid), start=1):
            check(cancelled)
            v = velocity(x, t)
            if eta == 0:
                x = move(x, v, t, to, schedule)
                continue
            x0, eps = schedule.x0_eps(x, v, t)
            a, a_to = float(schedule.a[t]), float(schedule.a[to])
            # Equation 16: the deviation of the fresh noise.
            sigma = eta * math.sqrt((1 - a_to) / (1 - a) * (1 - a / a_to))
            rest = math.sqrt(max(0.0, 1 - a_to - sigma**2))
            x = math.sqrt(a_to) * x0 + rest * eps + sigma * _fresh(x, seed, step)
    return x


def dpm_solver_pp(
    velocity: Velocity, x: Tensor, grid: list[int], schedule: Schedule, cancelled: Cancel = never
) -> Tensor:
    """DPM-Solver++(2M) (Lu et al. 2022, algorithm 2): second order at DDIM's cost.

    Lambda is the log of signal over noise. The first step, which has no step before it, is DDIM's,
    and so is a last step to clean data, where lambda is infinite.

    Raises:
        Cancelled: between steps, when the caller asks to stop.
    """
    before: tuple[Tensor, float] | None = None  # x0 of the step before, and its size in lambda
    with torch.inference_mode():
        for t, to in pairwise(grid):
            check(cancelled)
            v = velocity(x, t)
            x0, _ = schedule.x0_eps(x, v, t)
            (signal, sigma), (signal_to, sigma_to) = schedule.level(t), schedule.level(to)
            if sigma_to == 0:
                x = signal_to * x0
                continue
            h = math.log(signal_to / sigma_to) - math.log(signal / sigma)
            d = x0
            if before is not None:
                last_x0, last_h = before
                d = x0 + (x0 - last_x0) * (h / (2 * last_h))
            x = sigma_to / sigma * x - signal_to * math.expm1(-h) * d
            before = x0, h
    return x


def consistency(
    velocity: Velocity,
    x: Tensor,
    grid: list[int],
    schedule: Schedule,
    cancelled: Cancel = never,
    *,
    seed: int = 0,
) -> Tensor:
    """Multistep consistency sampling (Song et al. 2023, algorithm 1), for distilled networks.

    A network distilled with `loss.consistency` maps every x on a path to that path's end, so one
    step is enough; further steps add noise again and correct. With a network that was not
    distilled, one step gives the mean of all ends: a regression.

    Raises:
        Cancelled: between steps, when the caller asks to stop.
    """
    with torch.inference_mode():
        for step, (t, to) in enumerate(pairwise(grid), start=1):
            check(cancelled)
            x0, _ = schedule.x0_eps(x, velocity(x, t), t)
            signal, sigma = schedule.level(to)
            x = signal * x0
            if to != grid[-1]:
                x = x + sigma * _fresh(x, seed, step)
    return x
