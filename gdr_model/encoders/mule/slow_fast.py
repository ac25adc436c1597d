"""The skeleton of both MULE networks: sizes, the geometry of the stems, NFNet scales, two paths.

Brock et al., "High-Performance Large-Scale Image Recognition Without Normalization", 2021, for
the scales; Wang et al., "Multimodal Self-Supervised Learning of General Audio Representations",
2021, for the slow and the fast path.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from torch import Tensor, nn

GELU_GAIN = 1.7015043497085571
"""Brings the deviation of GELU under unit normal input to one; the NFNet authors' estimate."""

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
    """Channels in each group of the grouped convolutions."""
    fast_group: int = 16
    alpha: float = 0.2
    """Factor of a block's residual branch."""

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

    Every residual branch adds a variance of alpha², and a transition resets it to one. The input
    of the first stage comes from a stem, without a branch.
    """
    branches = [min(stage, 1), *range(2, depth + 1)]
    return [1 / math.sqrt(1 + alpha**2 * count) for count in branches]


class StandardisedConvolution(nn.Module, ABC):
    """A convolution that standardises its filters (C', C / groups, kernel) at each evaluation."""

    settled = False

    @property
    @abstractmethod
    def raw(self) -> Tensor:
        """The filters as they are trained."""

    @abstractmethod
    def standardised(self) -> Tensor:
        """The filters at mean zero and a variance that keeps the output's."""

    def weight(self) -> Tensor:
        """The filters to convolve with."""
        return self.raw if self.settled else self.standardised()

    def settle(self) -> None:
        """Keep the standardised filters in place of the trained ones, for inference."""
        self.raw.data = self.standardised()
        self.settled = True


def settle(network: nn.Module) -> None:
    """Standardise every filter once, in a network that will not be trained further."""
    for module in network.modules():
        if isinstance(module, StandardisedConvolution):
            module.settle()


def stages(
    build: Callable[[int, int, int, int, int, float], nn.Module],
    config: SlowFastConfig,
    ins: tuple[int, ...],
    outs: tuple[int, ...],
    group: int,
) -> nn.ModuleList:
    """The four stages of a path; `build` takes number, depth, width in, width, group and alpha."""
    sizes = zip(config.depths, ins, outs, strict=True)
    return nn.ModuleList(
        build(number, depth, width_in, width, group, config.alpha)
        for number, (depth, width_in, width) in enumerate(sizes)
    )


def run_paths(
    slow: Tensor,
    fast: Tensor,
    fusions: Iterable[nn.Module],
    slow_stages: Iterable[nn.Module],
    fast_stages: Iterable[nn.Module],
) -> tuple[Tensor, Tensor]:
    """Means (B, C), (B, C') over bands and time of the two paths, fused before each stage."""
    for fuse, slow_stage, fast_stage in zip(fusions, slow_stages, fast_stages, strict=True):
        slow = slow_stage(fuse(slow, fast))
        fast = fast_stage(fast)
    return slow.mean((2, 3)), fast.mean((2, 3))
