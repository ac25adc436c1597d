"""Guidance: how the branches of the text (null, prompt, negatives, sliders) become one velocity.

Classifier-free guidance (Ho & Salimans 2022), with negatives and sliders added:

    v = u + g (p - u) - sum_i w_i N (n_i - u) + sum_j s_j S (c_j - u)

where u, p, n_i, c_j are the network's answers to no words, the prompt, each negative and each
slider's words; N = NEGATIVE_PUSH, S = SLIDER_PUSH, w_i > 0 and s_j from -1 to 1. At g = 3 and one
negative of weight 1 this is the method's x = n + 3 (p - n), in which the negative replaces the
null; here, however, the strength of a negative does not depend on g. A search guides with prompt
and sliders alone: its negatives act on scores, which leaves more of what is wanted
(`gdr_model.search.negatives`, compared by `gdr eval control`). Outside `interval`, a part
of the schedule, only the prompt counts (Kynkaanniemi et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from gdr_model.diffusion.denoisers.context import Context, Denoiser
from gdr_model.types import TextEmbedding

NEGATIVE_PUSH = 2.0
SLIDER_PUSH = 6.0
WHOLE = (0.0, 1.0)
PROMPT = 1
"""Row of the prompt among the texts; the null is row 0."""


class Velocity(Protocol):
    """A guided denoiser: v (B, T, D) at x (B, T, D) and one time."""

    def __call__(self, x: Tensor, t: int) -> Tensor:
        """Evaluate."""


def coefficients(
    guidance: float, weights: tuple[float, ...], amounts: tuple[float, ...] = ()
) -> list[float]:
    """Factors of [u, p, n_1, ..., c_1, ...]; they sum to one."""
    pushes = [-weight * NEGATIVE_PUSH for weight in weights]
    pushes += [amount * SLIDER_PUSH for amount in amounts]
    return [1.0 - guidance - sum(pushes), guidance, *pushes]


def within(t: int, times: int, interval: tuple[float, float]) -> bool:
    """Whether a time is in a part of the schedule, from 0, pure noise, to 1, clean data."""
    start, end = interval
    return start <= 1 - (t + 1) / times <= end


@dataclass(frozen=True)
class Branches:
    """Some rows of the text, with the factor of each."""

    context: Context  # one row per factor
    factors: tuple[float, ...]

    def mix(self, net: Denoiser, x: Tensor, t: int) -> Tensor:
        """Mixed v (B, T, D), with every branch of every draw in one evaluation."""
        branches, batch = len(self.factors), len(x)
        times = torch.full((branches * batch,), t, device=x.device)
        v = net(x.repeat(branches, 1, 1), times, self.context.repeat(batch))
        factors = torch.tensor(self.factors, device=x.device, dtype=v.dtype)
        return torch.einsum("k,kbtd->btd", factors, v.view(branches, batch, *x.shape[1:]))


@dataclass(frozen=True)
class Guided:
    """A denoiser of v under prompt, negatives and sliders, for any number of draws at once."""

    net: Denoiser
    steered: Branches
    plain: Branches | None = None
    """The prompt alone, for times outside `interval`; None where guidance acts at all times."""
    interval: tuple[float, float] = WHOLE
    times: int = 1000

    @classmethod
    def build(
        cls,
        net: Denoiser,
        text: TextEmbedding,
        guidance: float,
        weights: tuple[float, ...] = (),
        amounts: tuple[float, ...] = (),
        interval: tuple[float, float] = WHOLE,
        times: int = 1000,
    ) -> Guided:
        """`text` has the rows [null, prompt, negative 1, ..., slider 1, ...].

        Branches with a factor of zero are never evaluated: at guidance 1 a prompt alone costs one
        evaluation a step; at guidance 3 a prompt with one negative costs two.
        """
        factors = coefficients(guidance, weights, amounts)
        used = [row for row, factor in enumerate(factors) if abs(factor) > 1e-9]
        steered = Branches(_read(net, text, used), tuple(factors[row] for row in used))
        plain = None
        if interval != WHOLE:
            plain = Branches(_read(net, text, [PROMPT]), (1.0,))
        return cls(net, steered, plain, interval, times)

    @property
    def factors(self) -> tuple[float, ...]:
        """Factors of the branches that are evaluated."""
        return self.steered.factors

    def __call__(self, x: Tensor, t: int) -> Tensor:
        """Guided v (B, T, D)."""
        branches = self.steered
        if self.plain is not None and not within(t, self.times, self.interval):
            branches = self.plain
        return branches.mix(self.net, x, t)


def _read(net: Denoiser, text: TextEmbedding, rows: list[int]) -> Context:
    """The context of some rows of a text, on the network's device."""
    device = net.null.device
    parts = (text.states[rows], np.ascontiguousarray(text.mask[rows]), text.pooled[rows])
    with torch.inference_mode():
        return net.read(*(torch.from_numpy(part).to(device) for part in parts))
