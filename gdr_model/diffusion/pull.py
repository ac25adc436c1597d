"""Likes and dislikes inside the sampler: sounds, not words, shift a draw while it is made.

At every step the estimate of clean data x0 (B, T, D) has a time-mean m (B, D), and each liked or
disliked sound a standardised time-mean a (D,). With strength s in [0, 1]

    like     m' = m + s (a - m)                          towards the sound
    dislike  m' = m - s max(0, <m, a>) a / <a, a>        out of its direction

and all of x0 moves by m' - m, so its variation over time is unchanged. No gradient is computed.
Both are bounded: a like ends at its sound, a dislike at being orthogonal to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gdr_model.diffusion.guidance import WHOLE, Velocity, within
from gdr_model.diffusion.schedule import Schedule


@dataclass(frozen=True)
class Pulled:
    """A velocity whose estimate of clean data is shifted by sounds."""

    velocity: Velocity
    schedule: Schedule
    likes: Tensor  # (N, D) standardised time-means, N may be 0
    dislikes: Tensor  # (M, D)
    strength: float
    interval: tuple[float, float] = WHOLE

    def __call__(self, x: Tensor, t: int) -> Tensor:
        """Give v (B, T, D) at x (B, T, D) and one time."""
        v = self.velocity(x, t)
        if not within(t, self.schedule.times, self.interval):
            return v
        x0, _ = self.schedule.x0_eps(x, v, t)
        _, noise = self.schedule.level(t)
        # v = (signal x - x0) / noise, so moving x0 by d moves v by -d / noise.
        return v - self.shift(x0.mean(1))[:, None] / noise

    def shift(self, m: Tensor) -> Tensor:
        """How far to move time-means m (B, D)."""
        moved = torch.zeros_like(m)
        if len(self.likes):
            moved = self.strength * (self.likes.mean(0) - m)
        for a in self.dislikes:
            # One after the other, so that similar sounds are not counted twice.
            inward = ((m + moved) @ a).clamp(min=0) / (a @ a).clamp(min=1e-12)  # (B,)
            moved = moved - self.strength * inward[:, None] * a
        return moved
