"""A running mean of weights: what a run keeps, because it is less noisy than the last step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """The mean of a network's weights over about 1 / (1 - decay) steps."""

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.weights = {name: value.detach().clone() for name, value in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Include the weights after a step."""
        self.steps += 1
        # Forget the random initial weights quickly.
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps)) if self.decay else 0.0
        for name, value in net.state_dict().items():
            mean = self.weights[name]
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    @contextmanager
    def inside(self, net: nn.Module) -> Iterator[None]:
        """The network with the mean weights, in evaluation mode; restores its own afterwards."""
        trained = {name: value.detach().clone() for name, value in net.state_dict().items()}
        training = net.training
        net.load_state_dict(self.weights)
        net.eval()
        try:
            yield
        finally:
            net.load_state_dict(trained)
            net.train(training)

    def restore(self, state: dict[str, Tensor | int]) -> None:
        """Continue from saved steps and `weights.*`."""
        self.steps = int(state["steps"])
        for name, mean in self.weights.items():
            saved = state[f"weights.{name}"]
            assert isinstance(saved, Tensor)  # noqa: S101 (for the type checker)
            mean.copy_(saved)
