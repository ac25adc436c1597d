"""Conversions of what a network predicts to v, which the samplers use.

At a noisy x = s x0 + n eps, s and n the deviations of signal and noise, a network can be trained
to give x0, eps or v = s eps - n x0 (Salimans & Ho 2022, appendix D). Each follows from any other
and x by a linear map whose part in x is the same for every prompt. Guidance mixes predictions
with factors that sum to one, so it can be applied before or after the conversion.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from gdr_model.diffusion.denoisers.context import Context, Denoiser
from gdr_model.diffusion.schedule import Schedule
from gdr_model.errors import UsageError

PREDICTIONS = ("v", "x0", "eps")


def check(prediction: str) -> str:
    """The name of a prediction, validated.

    Raises:
        UsageError: naming the unknown one and those there are.
    """
    if prediction not in PREDICTIONS:
        raise UsageError(f"unknown prediction {prediction!r}; use {', '.join(PREDICTIONS)}")
    return prediction


def to_v(output: Tensor, x: Tensor, t: Tensor, schedule: Schedule, prediction: str) -> Tensor:
    """A prediction (B, T, D) at x (B, T, D) and times (B,) as v (B, T, D)."""
    if check(prediction) == "v":
        return output
    signal, noise = schedule.levels(t)
    if prediction == "x0":
        return (signal * x - output) / noise
    return (output - noise * x) / signal


def to_x0(output: Tensor, x: Tensor, t: Tensor, schedule: Schedule, prediction: str) -> Tensor:
    """A prediction (B, T, D) at x (B, T, D) and times (B,) as clean data (B, T, D)."""
    if check(prediction) == "x0":
        return output
    signal, noise = schedule.levels(t)
    if prediction == "v":
        return signal * x - noise * output
    return (x - noise * output) / signal


def target(x0: Tensor, eps: Tensor, t: Tensor, schedule: Schedule, prediction: str) -> Tensor:
    """The training target (B, T, D) of a network of this prediction."""
    if check(prediction) == "v":
        return schedule.velocity(x0, eps, t)
    return x0 if prediction == "x0" else eps


@dataclass(frozen=True)
class AsVelocity:
    """A denoiser of any prediction, as one that predicts v."""

    net: Denoiser
    schedule: Schedule
    prediction: str

    @property
    def null(self) -> Tensor:
        """The network's learned stand-in for "no words"."""
        return self.net.null

    def read(self, states: Tensor, mask: Tensor, pooled: Tensor) -> Context:
        """Text (B, L, E), mask (B, L), pooled (B, E) to the network's context."""
        return self.net.read(states, mask, pooled)

    def __call__(self, x: Tensor, t: Tensor, context: Context) -> Tensor:
        """Give v (B, T, D) at x (B, T, D) and times (B,)."""
        return to_v(self.net(x, t, context), x, t, self.schedule, self.prediction)
