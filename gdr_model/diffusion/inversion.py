"""DDIM inversion: the noise from which the sampler would have drawn a given passage.

diffusers' inverse scheduler evaluates the network at the target time with the previous state, so
the error of its round trip is as large as the network's variation over a step. Here that
evaluation is only the first guess: accelerated fixed-point iterations (AIDI, Pan et al. 2023)
then find the state whose DDIM step leads exactly to the current one.

The acceleration is Anderson's with a memory of one state, separately for each draw. At the noisy
end, where the network is steep, plain iterations do not converge at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from gdr_model.diffusion.guidance import Velocity
from gdr_model.diffusion.schedule import Schedule
from gdr_model.errors import Cancelled
from gdr_model.types import Cancel, never

ITERATIONS = 12
"""Evaluations a step after the first guess, at most; most steps need three to five."""
SOLVED = 1e-4
"""Residual at which a step counts as solved. It is that of the last state but one, and every
iteration divides it by a hundred or more: draws from the result are the same as with 1e-6."""


@dataclass(frozen=True)
class Inverted:
    """The end of an inversion, and how accurate it is."""

    x: Tensor  # (B, T, D) at the grid's first time
    residual: float
    """How far the last evaluation of a step would still have moved its state, relative to the
    state's norm; of the worst step."""


def solve(
    velocity: Velocity,
    x: Tensor,
    grid: list[int],
    schedule: Schedule,
    cancelled: Cancel = never,
    iterations: int = ITERATIONS,
) -> Inverted:
    """Walk clean x (B, T, D) up `grid` (as given to `ddim`) to the state at grid[0].

    `velocity` should be at guidance 1, because a guided walk cannot be reversed.

    Raises:
        Cancelled: between steps, when the caller asks to stop.
    """
    residual = 0.0
    with torch.inference_mode():
        for fro, t in pairwise(reversed(grid)):
            if cancelled():
                raise Cancelled("the inversion was stopped")
            (signal, noise), (to_signal, to_noise) = schedule.level(t), schedule.level(fro)
            cosine = to_signal * signal + to_noise * noise
            sine = to_noise * signal - to_signal * noise
            here, last, step_residual = x, None, 0.0
            for _ in range(1 + iterations):
                # Solve move(y, v, t, fro) = here for y, with v held fixed.
                y = (here - sine * velocity(x, t)) / cosine
                change = y - x
                x, last = y if last is None else _accelerated(y, change, *last), (y, change)
                step_residual = float(change.norm() / x.norm().clamp(min=1e-12))
                if step_residual < SOLVED:
                    break
            residual = max(residual, step_residual)
    return Inverted(x, residual)


def _accelerated(y: Tensor, change: Tensor, last_y: Tensor, last_change: Tensor) -> Tensor:
    """The mixture (B, T, D) of two iterates whose error would be least if it were linear."""
    difference = change - last_change
    overlap = (change * difference).sum((1, 2), keepdim=True)
    share = overlap / difference.square().sum((1, 2), keepdim=True).clamp(min=1e-20)  # (B, 1, 1)
    return y - share * (y - last_y)


def invert(
    velocity: Velocity,
    x: Tensor,
    grid: list[int],
    schedule: Schedule,
    cancelled: Cancel = never,
    iterations: int = ITERATIONS,
) -> Tensor:
    """Only the state (B, T, D) that `solve` finds."""
    return solve(velocity, x, grid, schedule, cancelled, iterations).x


def blend(z: Tensor, eps: Tensor, angle: float) -> Tensor:
    """Rotate z towards eps by `angle` radians, which keeps a deviation that both have."""
    return math.cos(angle) * z + math.sin(angle) * eps
