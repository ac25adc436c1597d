"""`AudioNet` as a CPU runs it fastest: channels last, its wide layers by oneDNN.

On one thread torch computes convolutions of one point with its general matrix product, at half the
speed that oneDNN reaches. Results are those of `AudioNet`, to the bit where that product adds up
its channels in the same order, elsewhere to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gdr_model.encoders.builtin.audio import AudioNet, levelled, pool_windows

_LAST = torch.channels_last
_TOGETHER = 192
"""Channels added up at once: as many as the general matrix product takes, so that latents equal
those of every earlier version to the bit."""


def on_cpu(net: AudioNet) -> Callable[[Tensor], Tensor]:
    """A function that computes what a network in evaluation mode does, on the CPU."""
    backend: Any = torch.backends.mkldnn
    return _OnCpu(net) if backend.is_available() else net


class _OnCpu:
    """The layers of an `AudioNet`, with their weights laid out for oneDNN."""

    def __init__(self, net: AudioNet) -> None:
        blocks: Any = net.blocks
        stem: Any = net.stem
        self._stem, self._stem_norm = stem[0], stem[1]
        self._blocks = [(each.body, _Pointwise(each.body[3]), each.residual) for each in blocks]
        self._squeeze = _Pointwise(net.squeeze[0])
        self._head = net.head

    def __call__(self, mel: Tensor) -> Tensor:
        """(B, F, MELS) with F a multiple of FRAMES_PER_S to (B, T, FEATURES)."""
        x = _convolved(levelled(mel), self._stem).contiguous(memory_format=_LAST)
        x = F.relu_(self._stem_norm(x))
        for body, pointwise, residual in self._blocks:
            y = F.relu_(body[1](_convolved(x, body[0])))
            y = body[4](pointwise(y))
            x = F.relu_(y.add_(x) if residual else y)
        flat = x.permute(0, 2, 1, 3).flatten(2)  # (B, F / 16, 2048)
        frames = F.relu_(self._squeeze(flat.transpose(1, 2)[..., None]))[..., 0]
        features: Tensor = self._head(pool_windows(frames))
        return features


class _Pointwise:
    """A convolution of one point, or a linear layer: (B, C, F, M) to (B, C', F, M)."""

    def __init__(self, layer: Any) -> None:
        weight = layer.weight if layer.weight.dim() == 4 else layer.weight[..., None, None]
        self._bias = None if layer.bias is None else layer.bias[:, None, None]
        self._parts = [part.contiguous(memory_format=_LAST) for part in _split(weight)]

    def __call__(self, x: Tensor) -> Tensor:
        first, *others = (
            _onednn(part.contiguous(memory_format=_LAST), weight, None, (0, 0), (1, 1), 1)
            for part, weight in zip(_split(x), self._parts, strict=True)
        )
        out = first if self._bias is None else first.add_(self._bias)
        for other in others:
            out.add_(other)
        return out


def _split(x: Tensor) -> tuple[Tensor, ...]:
    """Parts of the channels, in the order in which they are added up."""
    return torch.split(x, _TOGETHER, dim=1)


def _convolved(x: Tensor, layer: Any) -> Tensor:
    return _onednn(x, layer.weight, layer.bias, layer.padding, layer.stride, layer.groups)


def _onednn(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    padding: Sequence[int],
    stride: Sequence[int],
    groups: int,
) -> Tensor:
    y: Tensor = torch.mkldnn_convolution(x, weight, bias, padding, stride, (1, 1), groups)
    return y
