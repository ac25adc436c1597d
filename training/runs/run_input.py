"""What the trainer is given: batches, their space, a network, and a check on held-out data.

A captioned set (`corpus_run`) and an indexed library (`library_run`) become a `RunInput`, and so
can anything else that gives a batch for a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from gdr_model.diffusion.denoisers import Network
from training.runs.space import Space


@dataclass(frozen=True)
class TrainingBatch:
    """What one step learns from."""

    x0: Tensor  # (B, T, D) standardised
    states: Tensor  # (B, L, E)
    mask: Tensor  # (B, L), all False where the null is trained
    pooled: Tensor  # (B, E)

    def to(self, device: torch.device) -> TrainingBatch:
        """The batch on a device."""
        parts = (self.x0, self.states, self.mask, self.pooled)
        return TrainingBatch(*(part.to(device) for part in parts))

    def rows(self, which: slice) -> TrainingBatch:
        """Some of its rows."""
        parts = (self.x0, self.states, self.mask, self.pooled)
        return TrainingBatch(*(part[which] for part in parts))


class BatchSource(Protocol):
    """Training data."""

    def batch(self, step: int) -> TrainingBatch:
        """The batch of a step: the same for the same step, whatever came before it."""


class Validation(Protocol):
    """A check on held-out data."""

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of the figures it measures, columns of the log."""

    def __call__(self, net: Network) -> dict[str, float]:
        """Measure them on a network in evaluation mode."""


@dataclass(frozen=True)
class RunInput:
    """Everything a run needs besides its configuration."""

    batches: BatchSource
    space: Space
    """The space the batches are in; stored with the weights."""
    network: Network
    """Training starts from a copy of it."""
    held_out: str
    """Name of the part that is kept out of the batches."""
    validation: Validation
    counts: Mapping[str, int] = field(default_factory=dict)
    """Sizes of the data, for `metrics.json`."""
