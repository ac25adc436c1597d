"""The contrastive tower: pooled text to one point of the search space, by InfoNCE.

Every retriever has one: `--method contrastive` searches with it, and its point is fused with the
draws. Shapes: B captions, A asked queries, E text width, D latent width.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from gdr_model.encoders.builtin.tower import ContrastiveTower

TEMPERATURE = 0.07
RATE, WEIGHT_DECAY = 1e-3, 0.05
ALIKE = 1 - 1e-5
"""Cosine from which two points are those of one track."""


@dataclass(frozen=True)
class TowerBatch:
    """Captions and the points of their passages; where there are any, queries too."""

    pooled: Tensor  # (B, E)
    points: Tensor  # (B, D) unit rows of the search space
    asked: Tensor | None = None  # (A, E)
    order: Tensor | None = None
    """(A, B) scores of the passages under each query; their softmax is what is wanted."""

    def to(self, device: torch.device) -> TowerBatch:
        """The batch on a device."""
        asked = None if self.asked is None else self.asked.to(device)
        order = None if self.order is None else self.order.to(device)
        return TowerBatch(self.pooled.to(device), self.points.to(device), asked, order)


class TowerSource(Protocol):
    """Training data of a tower."""

    def batch(self, step: int) -> TowerBatch:
        """The batch of a step."""


def contrast(tower: ContrastiveTower, batch: TowerBatch) -> Tensor:
    """InfoNCE in both directions, and the cross-entropy of the order asked for."""
    scores = tower(batch.pooled) @ batch.points.T / TEMPERATURE  # (B, B)
    # Two captions of one passage in a batch are both right.
    same = (batch.points @ batch.points.T > ALIKE).float()
    same = same / same.sum(1, keepdim=True)
    value = F.cross_entropy(scores, same) + F.cross_entropy(scores.T, same)
    if batch.asked is None or batch.order is None:
        return value
    ranked = tower(batch.asked) @ batch.points.T / TEMPERATURE  # (A, B)
    return value / 2 + F.cross_entropy(ranked, batch.order.softmax(1))


def train_tower(
    source: TowerSource,
    steps: int,
    seed: int,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
    device: torch.device | None = None,
) -> ContrastiveTower:
    """Train a tower, its rate falling as a cosine; a function of source, steps and seed."""
    device = device or torch.device("cpu")
    first = source.batch(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tower = ContrastiveTower(first.pooled.shape[1], first.points.shape[1]).to(device)
        optimiser = torch.optim.AdamW(tower.parameters(), RATE, weight_decay=WEIGHT_DECAY)
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            value = contrast(tower, source.batch(step).to(device))
            optimiser.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            on_step(step + 1, float(value.detach()))
    return tower.eval()
