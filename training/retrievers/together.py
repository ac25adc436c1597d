"""Draw for many prompts at once: the draws of `Drawer`, in fewer and larger evaluations.

Prompts are put together where their words have equally many tokens, so that none is padded for the
others' sake: what a prompt draws does not depend on its batch.

Shapes: P prompts, K branches of guidance, Q draws, T latents, D latent width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gdr_model.diffusion.denoisers.context import Context, Denoiser
from gdr_model.diffusion.guidance import Guided
from gdr_model.search.drawing import Drawer
from gdr_model.steering import Steering
from gdr_model.types import Query

SEQUENCES = 256
"""Sequences that are drawn at once, at most, on an accelerator."""
ON_CPU = 64
"""The same on a CPU, where more at once are no faster and only take memory."""


@dataclass(frozen=True)
class _Several:
    """The guided velocities of several prompts, whose sequences follow one another."""

    net: Denoiser
    context: Context  # K·P rows, branch by branch
    factors: tuple[float, ...]
    draws: int

    def __call__(self, x: Tensor, t: int) -> Tensor:
        """Guided v (P·Q, T, D)."""
        branches = len(self.factors)
        times = torch.full((branches * len(x),), t, device=x.device)
        v = self.net(x.repeat(branches, 1, 1), times, self.context.repeat(self.draws))
        factors = torch.tensor(self.factors, device=x.device, dtype=v.dtype)
        return torch.einsum("k,kbtd->btd", factors, v.view(branches, *x.shape))


def sequences(drawer: Drawer, steerings: Sequence[Steering]) -> Iterable[tuple[int, Tensor]]:
    """Each steering's number with its clean sequences (Q, T, D), in any order.

    The steerings differ in prompt and seed alone, and guide at all times.
    """
    alike: dict[tuple[int, ...], list[tuple[int, Guided]]] = {}
    at_once = ON_CPU if drawer.model.device.type == "cpu" else SEQUENCES
    for number, steering in enumerate(steerings):
        guided = drawer.guided(steering)
        assert isinstance(guided, Guided)  # noqa: S101 (no evaluation pulls)
        context = guided.steered.context
        waiting = alike.setdefault(context.mask.shape[-1:], [])
        waiting.append((number, guided))
        if len(waiting) * steering.draws >= at_once:
            yield from _drawn(drawer, steerings, waiting)
            waiting.clear()
    for waiting in alike.values():
        if waiting:
            yield from _drawn(drawer, steerings, waiting)


def queries(drawer: Drawer, steerings: Sequence[Steering]) -> list[Query]:
    """What `Drawer.query` draws for each of the steerings."""
    model = drawer.model
    found: dict[int, Query] = {}
    for number, x in sequences(drawer, steerings):
        steering, anchor = steerings[number], None
        if model.config.anchor_share:
            anchor = drawer.rows(steering)
        points = model.whitening.apply(model.drawn(x))
        found[number] = Query(points, steering, anchor=anchor)
    return [found[number] for number in range(len(steerings))]


def _drawn(
    drawer: Drawer, steerings: Sequence[Steering], waiting: Sequence[tuple[int, Guided]]
) -> Iterable[tuple[int, Tensor]]:
    first = steerings[waiting[0][0]]
    net, factors = waiting[0][1].net, waiting[0][1].factors
    context = _together([guided.steered.context for _, guided in waiting])
    noise = torch.cat([drawer.noise(steerings[number]) for number, _ in waiting])
    with torch.inference_mode():
        x = drawer.walk(first, _Several(net, context, factors, first.draws), noise)
    for (number, _), part in zip(waiting, x.view(-1, first.draws, *x.shape[1:]), strict=True):
        yield number, part


def _together(contexts: Sequence[Context]) -> Context:
    """The contexts of P prompts with K branches each, branch by branch."""

    def stacked(parts: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(parts), 1).flatten(0, 1)  # (K, P, ...) to (K·P, ...)

    layers = zip(*(context.keys_values for context in contexts), strict=True)
    return Context(
        tuple(tuple(map(stacked, zip(*layer, strict=True))) for layer in layers),
        stacked([context.mask for context in contexts]),
        stacked([context.pooled for context in contexts]),
    )
