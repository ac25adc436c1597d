"""The noise schedule: how much signal is left at each of the training times.

It does without diffusers, whose import would add most of two seconds to every search; the tests
compare every number here with its `DDIMScheduler`.

The defaults are this project's. The method's authors use scaled-linear betas, "leading" spacing
(with an offset of one), and walks that end at the first noise level instead of at clean data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gdr_model.errors import UsageError

KINDS = ("cosine", "scaled_linear")
SPACINGS = ("trailing", "leading")


@dataclass(frozen=True)
class Schedule:
    """Signal left at `times` discrete times, and the grids of times that samplers visit."""

    times: int = 1000
    kind: str = "cosine"
    """`cosine` (Nichol & Dhariwal 2021) or `scaled_linear` (Rombach et al. 2022)."""
    spacing: str = "trailing"
    """`trailing` begins at the last time, `leading` ends at the first (Lin et al. 2024)."""
    steps_offset: int = 0
    """Added to the times of `leading`."""
    set_alpha_to_one: bool = True
    """Whether a walk ends at clean data or at the noise of time 0."""
    beta_start: float = 0.0015
    beta_end: float = 0.0195
    """First and last beta of `scaled_linear`; its square roots are equally spaced."""
    shift: float = 1.0
    """How far `trailing` concentrates its steps near noise (Esser et al. 2024, eq. 23): a share u
    of the schedule becomes shift u / (1 + (shift - 1) u). What T latents have in common survives T
    times the noise, so a sequence is decided at noisier times than a single point."""

    def __post_init__(self) -> None:
        """Validate the kind and the spacing.

        Raises:
            UsageError: naming the unknown one and those there are.
        """
        for value, choices in ((self.kind, KINDS), (self.spacing, SPACINGS)):
            if value not in choices:
                raise UsageError(f"unknown noise schedule {value!r}; use {' or '.join(choices)}")

    @cached_property
    def a(self) -> Tensor:
        """Cumulative alphas (times + 1,) in float64; the last, at [-1], is where a walk ends."""
        a = torch.cumprod(1 - self._betas(), dim=0)
        end = torch.ones(1, dtype=torch.float64) if self.set_alpha_to_one else a[:1]
        return torch.cat([a, end])

    def _betas(self) -> Tensor:
        """Share of the signal's variance lost at each time: (times,), in float64."""
        if self.kind == "scaled_linear":
            ends = math.sqrt(self.beta_start), math.sqrt(self.beta_end)
            return torch.linspace(*ends, self.times, dtype=torch.float64) ** 2

        def bar(u: float) -> float:
            return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

        betas = [
            min(1 - bar((i + 1) / self.times) / bar(i / self.times), 0.999)
            for i in range(self.times)
        ]
        return torch.tensor(betas, dtype=torch.float64)

    def level(self, t: int) -> tuple[float, float]:
        """Signal and noise deviations sqrt(a), sqrt(1 - a) at one time; -1 is the end of a walk."""
        a = float(self.a[t])
        return math.sqrt(a), math.sqrt(1 - a)

    def levels(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Signal and noise deviations sqrt(a), sqrt(1 - a) at times (B,), as (B, 1, 1).

        Roots are computed before rounding to single precision (1 - a near clean data would lose
        its digits) and before moving to the device (some have no double precision).
        """
        signal, noise = self.a.sqrt().float(), (1 - self.a).sqrt().float()
        return signal.to(t.device)[t][:, None, None], noise.to(t.device)[t][:, None, None]

    def grid(self, steps: int) -> list[int]:
        """Times visited by a sampler, noisiest first, then -1 for where the walk ends.

        "Trailing" begins at the last time, where there is only noise, and never visits t = 0,
        where eps is indistinguishable from x. "Leading" begins one stride below the last time.
        """
        if self.spacing == "leading":
            stride = self.times // steps
            return [*(i * stride + self.steps_offset for i in reversed(range(steps))), -1]
        shares = [1 - i / steps for i in range(steps)]
        warped = [self.shift * u / (1 + (self.shift - 1) * u) for u in shares]
        spaced = [round(self.times * u) - 1 for u in warped]
        return [*dict.fromkeys(max(1, t) for t in spaced), -1]

    def add_noise(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """x_t = sqrt(a) x0 + sqrt(1 - a) eps."""
        signal, noise = self.levels(t)
        return signal * x0 + noise * eps

    def velocity(self, x0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
        """Give v = sqrt(a) eps - sqrt(1 - a) x0 (Salimans & Ho 2022)."""
        signal, noise = self.levels(t)
        return signal * eps - noise * x0

    def x0_eps(self, x: Tensor, v: Tensor, t: int) -> tuple[Tensor, Tensor]:
        """Clean data x0 and noise eps from x and v at time t."""
        signal, noise = self.level(t)
        return signal * x - noise * v, noise * x + signal * v
