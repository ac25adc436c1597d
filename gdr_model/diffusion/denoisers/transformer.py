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

    def read(self, text: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Text tokens (B, L, width), mask (B, 1, 1, L) to this layer's keys and values.

        Where there are few tokens, the maps to queries and from values are multiplied into them
        once, instead of being applied in every evaluation: keys (B, width, heads * L), biases
        (B, 1, heads * L) and values (B, heads * L, width).
        """
        k, v = (self.split(part) for part in self.kv_cross(text).chunk(2, dim=2))
        width, length = text.shape[2], text.shape[1]
        if self.heads * length > width:
            return k, v
        scaled = k * k.shape[3] ** -0.5
        to_queries, from_values = self.q_cross, self.out_cross
        query = to_queries.weight.view(self.heads, -1, width)
        keys = torch.einsum("bhld,hdw->bwhl", scaled, query).flatten(2)
        biases = torch.einsum("bhld,hd->bhl", scaled, to_queries.bias.view(self.heads, -1))
        biases = biases[:, None].masked_fill(~mask, -math.inf).flatten(2)
        value = from_values.weight.view(width, self.heads, -1)
        return keys, biases, torch.einsum("bhld,whd->bhlw", v, value).flatten(1, 2)

    def cross(self, x: Tensor, keys_values: tuple[Tensor, ...], mask: Tensor) -> Tensor:
        """Tokens (B, N, width) plus what they find in the text."""
        q = self.norm_cross(x)
        if len(keys_values) == 2:
            q = self.split(self.q_cross(q))
            y = F.scaled_dot_product_attention(q, *keys_values, attn_mask=mask)
            moved: Tensor = x + self.out_cross(y.transpose(1, 2).flatten(2))
            return moved
        keys, biases, values = keys_values
        scores = torch.baddbmm(biases.expand(-1, x.shape[1], -1), q, keys)
        shares = scores.view(*scores.shape[:2], self.heads, -1).softmax(3).flatten(2)
        return torch.baddbmm(x, shares, values) + self.out_cross.bias

    def forward(
        self, x: Tensor, modulation: Tensor, keys_values: tuple[Tensor, ...], mask: Tensor
    ) -> Tensor:
        """Tokens (B, N, width) and modulation (B, 6, width) to tokens (B, N, width)."""
        shift1, scale1, gate1, shift2, scale2, gate2 = (
            (modulation + self.modulation_bias).unsqueeze(2).unbind(1)
        )
        y = torch.addcmul(shift1, self.norm_self(x), 1 + scale1)
        q, k, v = (self.split(part) for part in self.qkv(y).chunk(3, dim=2))
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = self.cross(torch.addcmul(x, gate1, self.out_self(y)), keys_values, mask)
        y = torch.addcmul(shift2, self.norm_mlp(x), 1 + scale2)
        return torch.addcmul(x, gate2, self.mlp(y))


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
        keys_values = tuple(layer.read(tokens, seen) for layer in self._layers())
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
