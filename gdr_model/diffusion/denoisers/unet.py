"""A 1-D UNet over time with cross-attention to the text: the method's own network.

    time -> features;  level:  down -> items -> inner level -> items -> up,  merged with its input
    item: resnet -> modulation by the features [-> self-attention -> cross-attention]

Shapes: x (B, T, D) outside, (B, C, T) inside; text (B, L, E); features (B, F). The architecture
is that of the authors' network (a-unet's XUNet), so that `load_upstream` can use their weights.

Two choices differ, and both can be reverted. Padding is masked (`masked`); upstream attends to it.
"No words" is a learned sequence of fixed length (`null="fixed"`); upstream cuts its null to the
length of the prompts in the batch (`null="prompt"`), so that a prompt's guidance depends on its
batch-mates.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model.diffusion.denoisers.context import Context
from gdr_model.diffusion.denoisers.initial import normal
from gdr_model.diffusion.denoisers.upstream import unet_keys

TIME_FREQUENCIES = 128


@dataclass(frozen=True)
class UnetConfig:
    """Shape of the network; stored with its weights. Tuples have one entry per level."""

    dim: int
    frames: int = 64
    channels: tuple[int, ...] = (512, 512, 512, 512)
    factors: tuple[int, ...] = (2, 2, 4, 4)
    items: tuple[int, ...] = (1, 1, 1, 1)
    attentions: tuple[int, ...] = (0, 0, 1, 1)
    heads: int = 4
    head_width: int = 768
    groups: int = 8
    features: int = 1024
    text_width: int = 768
    null_length: int = 77
    null: str = "fixed"
    masked: bool = True


PRESETS: dict[str, UnetConfig] = {
    "tiny": UnetConfig(dim=512),  # 87.41 M parameters
    "base": UnetConfig(dim=512, channels=(512, 512, 1024, 1024), heads=8),  # 251.55 M
    # Upstream reports 876 M and no shape; this one has 875.45 M.
    "xlarge": UnetConfig(dim=512, channels=(768, 768, 2048, 2048), heads=16),
}
"""The method's sizes, for latents 512 wide and text states 768 wide."""


class Resnet(nn.Module):
    """Group norm, SiLU and a convolution of width 3, twice; plus the input."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, channels)
        self.conv1 = nn.Conv1d(channels, channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, channels)
        self.conv2 = nn.Conv1d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """From x (B, C, T) to (B, C, T)."""
        y = self.conv1(F.silu(self.norm1(x)))
        y = self.conv2(F.silu(self.norm2(y)))
        summed: Tensor = x + y
        return summed


class Attention(nn.Module):
    """Attention of x to a context, or to itself, plus the input."""

    def __init__(self, channels: int, context_width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.heads = heads
        inner = heads * head_width
        self.norm = nn.LayerNorm(channels)
        self.norm_context = nn.LayerNorm(context_width)
        self.q = nn.Linear(channels, inner, bias=False)
        self.kv = nn.Linear(context_width, 2 * inner, bias=False)
        self.out = nn.Linear(inner, channels, bias=False)

    def split(self, x: Tensor) -> Tensor:
        """(B, N, heads * width) to (B, heads, N, width)."""
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def read(self, context: Tensor) -> tuple[Tensor, Tensor]:
        """Context (B, N, context_width) to keys and values."""
        k, v = self.kv(self.norm_context(context)).chunk(2, dim=2)
        return self.split(k), self.split(v)

    def forward(
        self, x: Tensor, keys_values: tuple[Tensor, ...] | None, mask: Tensor | None
    ) -> Tensor:
        """From x (B, C, T) to the same; without keys and values it attends to itself."""
        y = x.transpose(1, 2)
        k, v = self.read(y) if keys_values is None else keys_values
        q = self.split(self.q(self.norm(y)))
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        summed: Tensor = y + self.out(seen.transpose(1, 2).flatten(2))
        return summed.transpose(1, 2)


class Item(nn.Module):
    """Resnet and modulation; in levels that attend, self- and cross-attention."""

    def __init__(self, channels: int, attends: bool, c: UnetConfig) -> None:
        super().__init__()
        self.resnet = Resnet(channels, c.groups)
        self.modulation = nn.Linear(c.features, 2 * channels)
        self.self_attention: Attention | None = None
        self.cross_attention: Attention | None = None
        if attends:
            self.self_attention = Attention(channels, channels, c.heads, c.head_width)
            self.cross_attention = Attention(channels, c.text_width, c.heads, c.head_width)

    def forward(
        self,
        x: Tensor,
        features: Tensor,
        keys_values: Iterator[tuple[Tensor, ...]],
        mask: Tensor,
    ) -> Tensor:
        """From x (B, C, T) and features (B, F) to (B, C, T).

        Consumes one pair of `keys_values` if it attends.
        """
        x = self.resnet(x)
        scale, shift = self.modulation(F.silu(features))[:, :, None].chunk(2, dim=1)
        normed = F.layer_norm(x.transpose(1, 2), x.shape[1:2], eps=1e-6).transpose(1, 2)
        x = normed * (1 + scale) + shift
        if self.self_attention is not None and self.cross_attention is not None:
            x = self.self_attention(x, None, None)
            x = self.cross_attention(x, next(keys_values), mask)
        return x


class Level(nn.Module):
    """One resolution, on the way down and up."""

    def __init__(self, outer: int, depth: int, c: UnetConfig) -> None:
        super().__init__()
        channels, factor = c.channels[depth], c.factors[depth]
        self.factor = factor
        self.down = nn.Conv1d(outer, channels, factor, stride=factor)
        self.before, self.after = (
            nn.ModuleList(
                Item(channels, bool(c.attentions[depth]), c) for _ in range(c.items[depth])
            )
            for _ in range(2)
        )
        self.up = nn.Conv1d(channels, outer, 3, padding=1)
        self.merge = nn.Conv1d(2 * outer, outer, 1)

    def leave(self, x: Tensor, skip: Tensor) -> Tensor:
        """Back to the outer resolution: x (B, C, T / factor), skip (B, outer, T)."""
        x = self.up(x.repeat_interleave(self.factor, dim=2))
        merged: Tensor = self.merge(torch.cat([skip * 2**-0.5, x], dim=1))
        return merged


class UnetDenoiser(nn.Module):
    """Predicts (B, T, D) from x (B, T, D), t (B,) and a `Context`."""

    def __init__(self, config: UnetConfig) -> None:
        super().__init__()
        self.config = c = config
        self.null = normal(c.null_length, c.text_width, deviation=0.02)
        self.frequencies = normal(TIME_FREQUENCIES)
        self.time_in = nn.Linear(2 * TIME_FREQUENCIES + 1, c.features)
        # One linear map applied twice; upstream stores it under two names.
        self.time_again = nn.Linear(c.features, c.features)
        outers = (c.dim, *c.channels[:-1])
        self.levels = nn.ModuleList(Level(outer, d, c) for d, outer in enumerate(outers))

    def _levels(self) -> list[Level]:
        return [level for level in self.levels if isinstance(level, Level)]

    def _cross_attentions(self) -> list[Attention]:
        """Every cross-attention, in the order of an evaluation."""
        levels = self._levels()
        sides = [level.before for level in levels] + [level.after for level in reversed(levels)]
        layers = [item.cross_attention for side in sides for item in side]
        return [layer for layer in layers if isinstance(layer, Attention)]

    def read(self, states: Tensor, mask: Tensor, pooled: Tensor) -> Context:
        """Text (B, L, E), mask (B, L), pooled (B, E) to a context without pooled text.

        With `null="fixed"` there are max(L, null_length) tokens, with `null="prompt"` L.

        Raises:
            ValueError: for more than null_length tokens with `null="prompt"`, whose null has only
                so many rows.
        """
        absent = ~mask.any(dim=1)
        null: Tensor = self.null
        if self.config.null == "prompt":
            if mask.shape[1] > len(null):
                raise ValueError(f"{mask.shape[1]} tokens; this network reads up to {len(null)}")
            null = null[: mask.shape[1]]
        length = max(mask.shape[1], len(null))
        tokens = F.pad(states, (0, 0, 0, length - mask.shape[1]))
        tokens = torch.where(
            absent[:, None, None], F.pad(null, (0, 0, 0, length - len(null))), tokens
        )
        seen = F.pad(mask, (0, length - mask.shape[1]))
        null_seen = torch.arange(length, device=mask.device) < len(null)
        seen = torch.where(absent[:, None], null_seen, seen)
        if not self.config.masked:
            seen = torch.ones_like(seen)
        keys_values = tuple(layer.read(tokens) for layer in self._cross_attentions())
        return Context(keys_values, seen[:, None, None], pooled)

    def time_features(self, t: Tensor) -> Tensor:
        """Features (B, F) of times (B,).

        Times make angles of thousands of radians, so the order of this product determines the
        last digits of the result; it is upstream's.
        """
        t = t.to(self.frequencies.dtype)[:, None]
        angles = t * self.frequencies * 2 * math.pi
        y = F.gelu(self.time_in(torch.cat([t, angles.sin(), angles.cos()], dim=1)))
        for _ in range(2):
            y = F.gelu(self.time_again(y))
        return y

    def forward(self, x: Tensor, t: Tensor, context: Context) -> Tensor:
        """One evaluation: x (B, T, D), T a multiple of all factors together, to (B, T, D)."""
        features = self.time_features(t)
        keys_values = iter(context.keys_values)
        y = x.transpose(1, 2)
        skips: list[Tensor] = []
        levels = self._levels()
        for level in levels:
            skips.append(y)
            y = level.down(y)
            for item in level.before:
                y = item(y, features, keys_values, context.mask)
        for level in reversed(levels):
            for item in level.after:
                y = item(y, features, keys_values, context.mask)
            y = level.leave(y, skips.pop())
        return y.transpose(1, 2)

    def load_upstream(self, theirs: Mapping[str, Tensor]) -> None:
        """Load the authors' weights.

        Raises:
            KeyError: if a tensor is missing.
            RuntimeError: if one has another shape.
        """
        c = self.config
        names = unet_keys(c.items, c.attentions)
        self.load_state_dict({ours: theirs[name] for ours, name in names.items()})
