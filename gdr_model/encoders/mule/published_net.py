"""MULE as published: SF-NFNet-F0 over three seconds of log-mel, without any batch norm.

    mel ─┬─ slow stem ──┬─ stage ──┬─ stage ──┬─ stage ──┬─ stage ── pool ─┐
         │            fuse       fuse       fuse       fuse                ├─ embedding
         └─ fast stem ──┴─ stage ──┴─ stage ──┴─ stage ──┴─ stage ── pool ─┘

The fast path sees four times as many frames with few channels; before each stage it is strided
to the slow path's frames and joined to its channels. McCallum et al., "Supervised and
Unsupervised Learning of Audio Representations for Music Understanding", ISMIR 2022; the blocks
are those of Brock et al., "High-Performance Large-Scale Image Recognition Without
Normalization", 2021. The network in `port_net` is a different one.

Shapes: (B, C, M, F) channels, mel bands, frames. `published_convert` gives the published Keras
weights the tensor names used here; padding is TensorFlow's `same`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model.encoders.formats import gdr_folder
from gdr_model.encoders.mule import frontend
from gdr_model.encoders.mule.slow_fast import (
    GELU_GAIN,
    STEM_KERNELS,
    STEM_STRIDES,
    SlowFastConfig,
    StandardisedConvolution,
    input_scales,
    run_paths,
    settle,
    stages,
)
from gdr_model.encoders.shared.windowed import WindowedEncoder
from gdr_model.types import LatentSpace

MODEL_TYPE = "mule"


@dataclass(frozen=True)
class MuleConfig(SlowFastConfig):
    """Sizes; the defaults are those of the published network (62.35 M parameters)."""

    fusion_in: tuple[int, ...] = (32, 32, 64, 192)
    """Channels of the fast path after each fusion has strided it."""
    fusion_out: tuple[int, ...] = (128, 256, 512, 3072)
    """Channels that each fusion adds to the slow path."""


def gelu(x: Tensor) -> Tensor:
    """GELU by the error function, at unit gain."""
    return F.gelu(x) * GELU_GAIN


def same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's `same` padding of one axis: the odd sample goes to the end."""
    total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Conv(StandardisedConvolution):
    """Weight-standardised convolution: each filter at mean zero and variance 1 / fan-in, × gain."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        kernel: tuple[int, int] = (1, 1),
        stride: tuple[int, int] = (1, 1),
        group: int | None = None,
    ) -> None:
        super().__init__()
        group = group or width_in
        self.stride, self.groups = stride, width_in // group
        self.weight_v = nn.Parameter(torch.randn(width_out, group, *kernel))
        self.gain = nn.Parameter(torch.ones(width_out))
        self.bias = nn.Parameter(torch.zeros(width_out))

    @property
    def raw(self) -> Tensor:
        """The filters as they are trained."""
        return self.weight_v

    def standardised(self) -> Tensor:
        """The filters with mean zero and variance gain² / fan-in."""
        variance, mean = torch.var_mean(self.weight_v, (1, 2, 3), correction=0, keepdim=True)
        fan_in = self.weight_v[0].numel()
        scale = torch.rsqrt((variance * fan_in).clamp_min(1e-4)) * self.gain[:, None, None, None]
        return (self.weight_v - mean) * scale

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, M, F) to (B, C', M / stride, F / stride), rounded up."""
        bands, frames = (
            same(size, kernel, stride)
            for size, kernel, stride in zip(
                x.shape[2:], self.weight_v.shape[2:], self.stride, strict=True
            )
        )
        padded = F.pad(x, (*frames, *bands))
        return F.conv2d(padded, self.weight(), self.bias, self.stride, groups=self.groups)


class Block(nn.Module):
    """x + alpha · gain · excite(1×1, 1×3, 3×1, 1×1), each after a GELU.

    The first block of a stage (a transition) changes the width, divides the mel bands by
    `stride` and takes its skip connection through an average pool and a 1×1 convolution.
    """

    def __init__(
        self,
        width_in: int,
        width: int,
        group: int,
        beta: float,
        alpha: float,
        *,
        transition: bool = False,
        stride: int = 1,
    ) -> None:
        super().__init__()
        inner = width // 2
        self.beta, self.alpha, self.stride = beta, alpha, stride
        self.conv0 = Conv(width_in, inner)
        self.conv1 = Conv(inner, inner, (1, 3), (stride, 1), group)
        self.conv2 = Conv(inner, inner, (3, 1), group=group)
        self.conv3 = Conv(inner, width)
        self.skip = Conv(width_in, width) if transition else None
        self.se1 = nn.Linear(width, inner)
        self.se2 = nn.Linear(inner, width)
        self.residual_gain = nn.Parameter(torch.zeros(()))

    def excite(self, y: Tensor) -> Tensor:
        """Weigh the channels by a function of their means; weights are from 0 to 2."""
        squeezed = F.relu(self.se1(y.mean((2, 3))))
        return y * (2 * torch.sigmoid(self.se2(squeezed)))[:, :, None, None]

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, M, F) to (B, width, M / stride, F)."""
        y = gelu(x) * self.beta
        if self.skip is not None:
            x = self.skip(F.avg_pool2d(y, (self.stride, 1)))
        y = self.conv1(gelu(self.conv0(y)))
        y = self.conv3(gelu(self.conv2(gelu(y))))
        return x + self.excite(y) * self.residual_gain * self.alpha


class Fusion(nn.Module):
    """The fast path, strided to the slow path's frames and appended to its channels."""

    def __init__(self, fast: int, inner: int, joined: int) -> None:
        super().__init__()
        self.time = Conv(fast, inner, (1, 7), (1, 4))
        self.expand = Conv(inner, joined)

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        """(B, C, M, F) and (B, C', M, 4F) to (B, C + joined, M, F)."""
        return torch.cat([slow, self.expand(self.time(fast))], dim=1)


class Stem(nn.Sequential):
    """Four convolutions from one channel up, GELU between them."""

    def __init__(self, path: str, widths: tuple[int, ...]) -> None:
        shapes = zip(STEM_KERNELS[path], STEM_STRIDES[path], strict=True)
        super().__init__(
            *(
                Conv(i, o, kernel, stride)
                for i, o, (kernel, stride) in zip((1, *widths[:-1]), widths, shapes, strict=True)
            )
        )

    def forward(self, input: Tensor) -> Tensor:
        """Mel (B, 1, M, F) to (B, C, M / 4, F / 16), a quarter of the frames on the slow path."""
        first, *rest = self
        y: Tensor = first(input)
        for convolution in rest:
            y = convolution(gelu(y))
        return y


def stage(
    number: int, depth: int, width_in: int, width: int, group: int, alpha: float
) -> nn.Sequential:
    """A transition and the plain blocks after it; every stage but the first halves the bands."""
    first, *rest = input_scales(number, depth, alpha)
    stride = 1 if number == 0 else 2
    return nn.Sequential(
        Block(width_in, width, group, first, alpha, transition=True, stride=stride),
        *(Block(width, width, group, beta, alpha) for beta in rest),
    )


class Mule(nn.Module):
    """Standardised log-mel (B, 1, 96, 300) to embeddings (B, D); see `frontend`."""

    def __init__(self, config: MuleConfig) -> None:
        super().__init__()
        self.config = c = config
        self.slow_stem = Stem("slow", c.slow_stem)
        self.fast_stem = Stem("fast", c.fast_stem)
        self.fusion = nn.ModuleList(map(Fusion, c.fast_in, c.fusion_in, c.fusion_out))
        fused = tuple(width + joined for width, joined in zip(c.slow_in, c.fusion_out, strict=True))
        self.slow = stages(stage, c, fused, c.slow_out, c.slow_group)
        self.fast = stages(stage, c, c.fast_in, c.fast_out, c.fast_group)

    def forward(self, mel: Tensor) -> Tensor:
        """Slow, then fast half of the embedding."""
        slow, fast = self.slow_stem(mel), self.fast_stem(mel)
        means = run_paths(slow, fast, self.fusion, self.slow, self.fast)
        return torch.cat([gelu(mean) for mean in means], dim=1)


def load_audio(folder: Path, space: LatentSpace, device: torch.device) -> WindowedEncoder:
    """The encoder of a folder that `published_convert` has written.

    As in the published code, a window is cut from the spectrogram of the whole sound: 300 frames
    around each second (there, around every other second).

    Raises:
        ModelError: if the folder holds something else.
    """
    net = gdr_folder.load(folder, MODEL_TYPE, MuleConfig, Mule)
    settle(net)
    net.to(device)

    def embed(sound: Tensor) -> Tensor:
        mel = frontend.log10_mel(sound, centre=False)[..., : frontend.FRAMES]
        embedded: Tensor = net(frontend.standardise(mel)[:, None])
        return embedded

    return WindowedEncoder(embed, space, device, frontend.WINDOW, margin=frontend.MEL.fft // 2)


def from_keras(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors in Keras' layout, in torch's.

    Convolutions (height, width, in, out) become (out, in, height, width), dense layers
    (in, out) become (out, in).
    """
    orders = {4: (3, 2, 0, 1), 2: (1, 0)}
    return {
        name: value.permute(orders[value.ndim]) if value.ndim in orders else value
        for name, value in tensors.items()
    }
