"""How clouds are drawn that are compared, and how a command spells it."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_model.errors import UsageError
from gdr_model.steering import Sampler, Steering

DRAWS = 64
"""Draws of a cloud."""


@dataclass(frozen=True)
class Setting:
    """How a cloud is drawn."""

    guidance: float
    steps: int = Steering.steps
    sampler: Sampler = Steering.sampler
    interval: tuple[float, float] = Steering.interval

    @property
    def name(self) -> str:
        """The row's name."""
        name = f"guidance {self.guidance:g}, {self.steps} steps of {self.sampler}"
        begin, end = self.interval
        return name if self.interval == Steering.interval else f"{name}, {begin:g} to {end:g}"

    def steering(self, prompt: str, seed: int) -> Steering:
        """A prompt drawn like this."""
        return Steering(
            prompt,
            guidance=self.guidance,
            steps=self.steps,
            sampler=self.sampler,
            interval=self.interval,
            draws=DRAWS,
            seed=seed,
        )


def settings(guidance: str, steps: str, samplers: str) -> list[Setting]:
    """Every guidance as a search draws; at the first of them, every sampler in all its steps.

    Each argument is a list separated by commas.

    Raises:
        UsageError: naming what is no number, no sampler, or out of range.
    """
    values = [_number(part) for part in _parts(guidance)]
    counts = [_number(part) for part in _parts(steps)]
    if not values:
        raise UsageError("name at least one value of guidance")
    for part in _parts(samplers):
        if part not in list(Sampler):
            raise UsageError(f"unknown sampler {part!r}; use {', '.join(Sampler)}")
    for count in counts:
        if count != int(count):
            raise UsageError(f"{count:g} is no number of steps; use whole numbers")
    found = [Setting(value) for value in values]
    found += [
        Setting(values[0], int(count), Sampler(part))
        for part in _parts(samplers)
        for count in counts
    ]
    for setting in found:
        setting.steering("-", 0)
    return list(dict.fromkeys(found))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a number") from error
