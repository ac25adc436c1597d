"""MULE as the method's authors retrained it: a PyTorch port, with a network of its own.

    mel ─┬─ slow stem ──┬─ stage ──┬─ stage ──┬─ stage ──┬─ stage ── pool ─┐
         │            fuse       fuse       fuse       fuse                ├─ embedding
         └─ fast stem ──┴─ stage ──┴─ stage ──┴─ stage ──┴─ stage ── pool ─┘

Differences from the published network: the fast path is appended to the slow one along *time*,
which therefore grows at every fusion; stems have biases, batch norm and ReLU; other convolutions
are standardised with the unbiased variance and have neither gain nor bias; ReLU, explicit padding,
no factor of two in the excitation. The weights of one do not fit the other.

Shapes: (B, C, M, F) channels, mel bands, frames. Tensors are named as in the authors' state
dict, in which the scales `beta` and `alpha` are tensors too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
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

MODEL_TYPE = "mule-port"


@dataclass(frozen=True)
class MulePortConfig(SlowFastConfig):
    """Sizes; the defaults are those of the authors' network (53.44 M parameters)."""

    kernel_length_time: int = 7
    """Frames that a fusion's convolution spans."""
    fusion_time_stride: int = 4


class Standardised(StandardisedConvolution):
    """A convolution whose filters are brought to mean zero and variance 1 / fan-in; then ReLU."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        kernel: tuple[int, int] = (1, 1),
        stride: tuple[int, int] = (1, 1),
        *,
        padding: tuple[int, int] = (0, 0),
        group: int | None = None,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.relu = relu
        self.conv = nn.Conv2d(
            width_in,
            width_out,
            kernel,
            stride,
            padding,
            groups=width_in // (group or width_in),
            bias=False,
        )

    @property
    def raw(self) -> Tensor:
        """The filters as they are trained."""
        return self.conv.weight

    def standardised(self) -> Tensor:
        """The filters with mean zero and variance 1 / fan-in."""
        raw = self.conv.weight
        variance, mean = torch.var_mean(raw, (1, 2, 3), correction=1, keepdim=True)
        return (raw - mean) * torch.rsqrt((variance * raw[0].numel()).clamp_min(1e-4))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, M, F) to (B, C', M', F')."""
        y: Tensor = functional_call(self.conv, {"weight": self.weight()}, x)
        return F.relu(y) if self.relu else y


class Scale(nn.Module):
    """Multiplies by one number, learned or not."""

    def __init__(self, value: float, *, learned: bool = False) -> None:
        super().__init__()
        self.scalar = nn.Parameter(torch.tensor(value), requires_grad=learned)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        scaled: Tensor = x * self.scalar
        return scaled


class Excite(nn.Module):
    """Weigh the channels by a function of their means; weights are from 0 to 1."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(width, width // 2), nn.ReLU(), nn.Linear(width // 2, width), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, M, F) to the same."""
        weighed: Tensor = x * self.fc(x.mean((2, 3)))[:, :, None, None]
        return weighed


def branch(width_in: int, width: int, group: int, stride: int, alpha: float) -> list[nn.Module]:
    """1×1, 1×3, 3×1, 1×1, excitation, learned gain, alpha."""
    inner = width // 2
    return [
        Standardised(width_in, inner),
        Standardised(inner, inner, (1, 3), (stride, 1), padding=(0, 1), group=group),
        Standardised(inner, inner, (3, 1), padding=(1, 0), group=group),
        Standardised(inner, width, relu=False),
        Excite(width),
        Scale(0.0, learned=True),
        Scale(alpha),
    ]


class Transition(nn.Module):
    """First block of a stage: changes the width, divides the mel bands by `stride`.

    The scaled input goes to both the branch and the skip connection.
    """

    def __init__(
        self, width_in: int, width: int, group: int, stride: int, beta: float, alpha: float
    ) -> None:
        super().__init__()
        self.input_layers = nn.Sequential(nn.ReLU(), Scale(beta))
        self.residual_path = nn.Sequential(*branch(width_in, width, group, stride, alpha))
        self.skip_path = nn.Sequential(
            nn.AvgPool2d((stride, 1)), Standardised(width_in, width, relu=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, M, F) to (B, width, M / stride, F)."""
        y = self.input_layers(x)
        summed: Tensor = self.skip_path(y) + self.residual_path(y)
        return summed


class Plain(nn.Module):
    """Any other block: x + branch(scaled x)."""

    def __init__(self, width: int, group: int, beta: float, alpha: float) -> None:
        super().__init__()
        self.residual_path = nn.Sequential(
            nn.ReLU(), Scale(beta), *branch(width, width, group, 1, alpha)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, M, F) to the same."""
        summed: Tensor = x + self.residual_path(x)
        return summed


class Stage(nn.Module):
    """A transition and the plain blocks after it; every stage but the first halves the bands."""

    def __init__(
        self, number: int, depth: int, width_in: int, width: int, group: int, alpha: float
    ) -> None:
        super().__init__()
        first, *rest = input_scales(number, depth, alpha)
        stride = 1 if number == 0 else 2
        self.blocks = nn.Sequential(
            Transition(width_in, width, group, stride, first, alpha),
            *(Plain(width, group, beta, alpha) for beta in rest),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, M, F) to (B, width, M / stride, F)."""
        y: Tensor = self.blocks(x)
        return y


class Fusion(nn.Module):
    """The fast path, strided and at the slow path's width, appended to the slow path in time."""

    def __init__(self, fast: int, slow: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv1 = Standardised(fast, fast, (1, kernel), (1, stride))
        self.conv2 = Standardised(fast, slow)

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        """(B, C, M, F) and (B, C', M, F') to (B, C, M, F + (F' - kernel) // stride + 1)."""
        return torch.cat([slow, self.conv2(self.conv1(fast))], dim=3)


class Stem(nn.Module):
    """Four times convolution, batch norm, ReLU."""

    def __init__(self, path: str, widths: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        ins = (1, *widths[:-1])
        for i, o, kernel, stride in zip(
            ins, widths, STEM_KERNELS[path], STEM_STRIDES[path], strict=True
        ):
            padding = (kernel[0] // 2, kernel[1] // 2)
            layers += [nn.Conv2d(i, o, kernel, stride, padding), nn.BatchNorm2d(o), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, mel: Tensor) -> Tensor:
        """(B, 1, M, F) to (B, C, M', F')."""
        y: Tensor = self.layers(mel)
        return y


class MulePort(nn.Module):
    """Mel in decibels (B, 1, 96, 300) to embeddings (B, D); see `frontend`."""

    def __init__(self, config: MulePortConfig) -> None:
        super().__init__()
        self.config = c = config
        self.slow_stem = Stem("slow", c.slow_stem)
        self.fast_stem = Stem("fast", c.fast_stem)
        self.slow_layers = stages(Stage, c, c.slow_in, c.slow_out, c.slow_group)
        self.fast_layers = stages(Stage, c, c.fast_in, c.fast_out, c.fast_group)
        self.fusion_layers = nn.ModuleList(
            Fusion(narrow, wide, c.kernel_length_time, c.fusion_time_stride)
            for narrow, wide in zip(c.fast_in, c.slow_in, strict=True)
        )

    def forward(self, mel: Tensor) -> Tensor:
        """Slow, then fast half of the embedding."""
        slow, fast = self.slow_stem(mel), self.fast_stem(mel)
        means = run_paths(slow, fast, self.fusion_layers, self.slow_layers, self.fast_layers)
        return torch.cat([F.gelu(mean) * GELU_GAIN for mean in means], dim=1)


def load_audio(folder: Path, space: LatentSpace, device: torch.device) -> WindowedEncoder:
    """The encoder of a folder that `port_convert` has written.

    Every window has a spectrogram of its own. The last sample of a window is left out, which
    gives the 300 frames that the authors train with.

    Raises:
        ModelError: if the folder holds something else.
    """
    net = gdr_folder.load(folder, MODEL_TYPE, MulePortConfig, MulePort)
    settle(net)
    net.to(device)

    def embed(sound: Tensor) -> Tensor:
        embedded: Tensor = net(frontend.decibel_mel(sound[:, :-1])[:, None])
        return embedded

    return WindowedEncoder(embed, space, device, frontend.WINDOW)
