"""Drawing for many prompts at once, and the regression hidden in a denoiser: its anchor.

Every prompt starts from the same noise, that of `sampling.noise`, so a prompt's draws are those
it would get alone. Shapes: P prompts, Q draws, T frames, D latent width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gdr_model.diffusion.denoisers import Context, Network
from gdr_model.diffusion.prediction import to_v
from gdr_model.diffusion.sampling import ddim, noise
from gdr_model.diffusion.schedule import Schedule
from gdr_model.types import Array, TextEmbedding
from training.evaluation.fusion import Drawn
from training.runs.config import DrawConfig

ROWS = 4096
"""Latents in one evaluation, at most: draws times frames times prompts."""


@dataclass(frozen=True)
class Drawer:
    """A network with what is needed to draw from it."""

    net: Network
    schedule: Schedule
    prediction: str

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and width of a draw."""
        return self.net.config.frames, self.net.config.dim

    def velocity(self, x: Tensor, t: int, context: Context) -> Tensor:
        """Give v (B, T, D) of x (B, T, D) at one time."""
        times = torch.full((len(x),), t, device=x.device)
        return to_v(self.net(x, times, context), x, times, self.schedule, self.prediction)

    def draw(
        self, text: TextEmbedding, draws: int, steps: int, guidance: float, seed: int
    ) -> Array:
        """Clean standardised sequences (P, Q, T, D), by DDIM."""
        grid = self.schedule.grid(steps)

        def walk(x: Tensor, words: Context, none: Context) -> Tensor:
            def guided(x: Tensor, t: int) -> Tensor:
                v = self.velocity(x, t, words)
                if guidance == 1:
                    return v
                u = self.velocity(x, t, none)
                return u + guidance * (v - u)

            return ddim(guided, x, grid, self.schedule)

        return self._each(text, noise(draws, *self.shape, seed), walk)

    def anchor(self, text: TextEmbedding, draws: int, seed: int) -> Array:
        """The estimate of clean data at the highest noise (P, T, D), mean over starting noises.

        There x says nothing, so this is the conditional mean: the regression in the denoiser.
        """
        last = self.schedule.times - 1

        def once(x: Tensor, words: Context, none: Context) -> Tensor:
            x0, _ = self.schedule.x0_eps(x, self.velocity(x, last, words), last)
            return x0

        return np.asarray(self._each(text, noise(draws, *self.shape, seed), once).mean(axis=1))

    def drawn(
        self, text: TextEmbedding, how: DrawConfig, seed: int, explained: Array | None = None
    ) -> Drawn:
        """Time-means of draws and anchor; `explained` is measured here where it is not known."""
        draws = self.draw(text, how.draws, how.steps, how.guidance, seed).mean(2)
        anchor = self.anchor(text, how.draws, seed).mean(1)
        return Drawn(draws, anchor, anchor.var(0) if explained is None else explained)

    def regress(self, text: TextEmbedding) -> Array:
        """What a network trained for one step from nothing answers (P, T, D)."""
        last = self.schedule.times - 1

        def once(x: Tensor, words: Context, none: Context) -> Tensor:
            answer: Tensor = self.net(x, torch.full((len(x),), last, device=x.device), words)
            return answer

        return self._each(text, torch.zeros(1, *self.shape), once)[:, 0]

    def _each(
        self,
        text: TextEmbedding,
        start: Tensor,
        walk: Callable[[Tensor, Context, Context], Tensor],
    ) -> Array:
        """(P, Q, T, D): what `walk` makes of the start (Q, T, D), prompt by prompt."""
        device, draws = self.net.null.device, len(start)
        at_once = max(1, ROWS // (draws * self.shape[0]))
        found = []
        with torch.inference_mode():
            for first in range(0, len(text.pooled), at_once):
                part = slice(first, first + at_once)
                mask = torch.from_numpy(text.mask[part])
                words, none = (
                    self.net.read(
                        torch.from_numpy(text.states[part]).to(device),
                        seen.to(device),
                        torch.from_numpy(text.pooled[part]).to(device),
                    ).repeat(draws)
                    for seen in (mask, torch.zeros_like(mask))
                )
                x = start.to(device).repeat(len(mask), 1, 1)
                drawn = walk(x, words, none)
                found.append(drawn.view(len(mask), draws, *self.shape).cpu().numpy())
        return np.concatenate(found)
