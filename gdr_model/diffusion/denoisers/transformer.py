"""A small patched transformer over latent sequences, with cross-attention to the text.

Patches of `patch` seconds are tokens, as in DiT (Peebles & Xie 2023): 64 latents make eight
tokens, so an evaluation costs an eighth of what one token a second would. Time and pooled text
modulate every layer through one shared map with a bias per layer (PixArt's adaLN-single).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model.diffusion.denoisers.context import Context
from gdr_model.diffusion.denoisers.initial import normal


@dataclass(frozen=True)
class TransformerConfig:
    """Shape of the network; stored with its weights."""

    dim: int
    frames: int = 64
    patch: int = 8
    width: int = 192
    layers: int = 4
    heads: int = 4
    text_width: int = 384
    pooled_width: int = 0
    """Width of the pooled text; 0 where it is as wide as the states."""


def time_features(t: Tensor, width: int) -> Tensor:
    """Sinusoidal features (B, width) of times (B,) in [0, 1000)."""
    frequencies = torch.exp(
        -math.log(10_000) * torch.arange(width // 2, device=t.device) * 2 / width
    )
    angles = t.float()[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Layer(nn.Module):
    """Self-attention, cross-attention to the text, MLP; adaLN around the first and the last."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_self = nn.LayerNorm(width, elementwise_affine=False)
        self.norm_cross = nn.LayerNorm(width)
        self.norm_mlp = nn.LayerNorm(width, elementwise_affine=False)
        self.qkv = nn.Linear(width, 3 * width)
        self.out_self = nn.Linear(width, width)
        self.q_cross = nn.Linear(width, width)
        self.kv_cross = nn.Linear(width, 2 * width)
        self.out_cross = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )
        self.modulation_bias = nn.Parameter(torch.zeros(6, width))

    def split(self, x: Tensor) -> Tensor:
        """(B, N, width) to (B, heads, N, width / heads)."""
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)

    def read(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Text tokens (B, L + 1, width) to this layer's keys and values."""
        k, v = self.kv_cross(text).chunk(2, dim=2)
        return self.split(k), self.split(v)

    def forward(
        self, x: Tensor, modulation: Tensor, keys_values: tuple[Tensor, Tensor], mask: Tensor
    ) -> Tensor:
        """Tokens (B, N, width) and modulation (B, 6, width) to tokens (B, N, width)."""
        shift1, scale1, gate1, shift2, scale2, gate2 = (
            (modulation + self.modulation_bias).unsqueeze(2).unbind(1)
        )
        y = self.norm_self(x) * (1 + scale1) + shift1
        q, k, v = (self.split(part) for part in self.qkv(y).chunk(3, dim=2))
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = x + gate1 * self.out_self(y)
        q = self.split(self.q_cross(self.norm_cross(x)))
        y = F.scaled_dot_product_attention(q, *keys_values, attn_mask=mask)
        x = x + self.out_cross(y.transpose(1, 2).flatten(2))
        y = self.norm_mlp(x) * (1 + scale2) + shift2
        moved: Tensor = x + gate2 * self.mlp(y)
        return moved


class TransformerDenoiser(nn.Module):
    """Predicts v (B, T, D) from x (B, T, D), t (B,) and a `Context`."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = c = config
        self.inlet = nn.Linear(c.patch * c.dim, c.width)
        self.position = normal(c.frames // c.patch, c.width, deviation=0.02)
        self.time = nn.Sequential(
            nn.Linear(c.width, c.width), nn.SiLU(), nn.Linear(c.width, c.width)
        )
        self.text = nn.Linear(c.text_width, c.width)
        self.pooled = nn.Linear(c.pooled_width or c.text_width, c.width)
        # "No words": one learned token, however long the prompts next to it are.
        self.null = normal(c.width, deviation=0.02)
        self.modulation = nn.Linear(c.width, 6 * c.width)
        self.layers = nn.ModuleList(Layer(c.width, c.heads) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.width)
        self.outlet = nn.Linear(c.width, c.patch * c.dim)
        for last in (self.modulation, self.outlet):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def _layers(self) -> list[Layer]:
        return [layer for layer in self.layers if isinstance(layer, Layer)]

    def read(self, states: Tensor, mask: Tensor, pooled: Tensor) -> Context:
        """Text (B, L, E), mask (B, L), pooled (B, P) to a context.

        A row whose mask is all False is the null: it sees the learned token alone.
        """
        present = mask.any(dim=1)
        first = torch.where(present[:, None], self.pooled(pooled), self.null)
        tokens = torch.cat([first[:, None], self.text(states)], dim=1)
        seen = torch.cat([torch.ones_like(mask[:, :1]), mask], dim=1)[:, None, None]
        keys_values = tuple(layer.read(tokens) for layer in self._layers())
        return Context(keys_values, seen, first)

    def forward(self, x: Tensor, t: Tensor, context: Context) -> Tensor:
        """One evaluation of v (B, T, D)."""
        c = self.config
        tokens = self.inlet(x.reshape(len(x), -1, c.patch * c.dim)) + self.position
        condition = self.time(time_features(t, c.width)) + context.pooled
        modulation = self.modulation(F.silu(condition)).view(-1, 6, c.width)
        for layer, keys_values in zip(self._layers(), context.keys_values, strict=True):
            tokens = layer(tokens, modulation, keys_values, context.mask)
        v: Tensor = self.outlet(self.norm(tokens)).reshape(x.shape)
        return v
