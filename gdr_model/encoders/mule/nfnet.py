"""What both MULE networks share: their sizes, their stems' geometry and the NFNet scales.

Brock et al., "High-Performance Large-Scale Image Recognition Without Normalization", 2021, for
the scales; Wang et al., "Multimodal Self-Supervised Learning of General Audio Representations",
2021, for the slow and the fast path.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

GELU_GAIN = 1.7015043497085571
"""Brings the deviation of GELU under unit normal input to one."""

STEM_STRIDES = {
    "slow": ((2, 8), (1, 1), (1, 1), (2, 2)),
    "fast": ((2, 2), (1, 1), (1, 1), (2, 2)),
}
"""(mel, time) strides of a stem's convolutions."""
STEM_KERNELS = {
    "slow": ((3, 1), (3, 1), (3, 1), (3, 3)),
    "fast": ((3, 3), (3, 3), (3, 3), (3, 3)),
}


@dataclass(frozen=True)
class SlowFastConfig:
    """Widths and depths, four stages; the defaults are the full size of both networks."""

    depths: tuple[int, ...] = (1, 2, 6, 3)
    slow_stem: tuple[int, ...] = (16, 32, 64, 128)
    fast_stem: tuple[int, ...] = (2, 4, 8, 16)
    slow_out: tuple[int, ...] = (256, 512, 1536, 1536)
    fast_out: tuple[int, ...] = (32, 64, 192, 192)
    slow_group: int = 128
    """Channels a group of the grouped convolutions."""
    fast_group: int = 16
    alpha: float = 0.2
    """Share of a block's residual branch."""

    @property
    def dim(self) -> int:
        """Width of the embedding."""
        return self.slow_out[-1] + self.fast_out[-1]

    @property
    def slow_in(self) -> tuple[int, ...]:
        """Width of the slow path before each fusion."""
        return (self.slow_stem[-1], *self.slow_out[:-1])

    @property
    def fast_in(self) -> tuple[int, ...]:
        """Width of the fast path before each fusion."""
        return (self.fast_stem[-1], *self.fast_out[:-1])


def input_scales(stage: int, depth: int, alpha: float) -> list[float]:
    """Beta of each block of a stage: one over the deviation expected of its input.

    Every residual branch adds a variance of alpha², and a transition starts anew at one. What
    enters the first stage comes from a stem, without a branch.
    """
    branches = [min(stage, 1), *range(2, depth + 1)]
    return [1 / math.sqrt(1 + alpha**2 * count) for count in branches]
