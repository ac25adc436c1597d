"""Residual layers over one time-mean at a time, modulated by time and pooled text.

What a search needs of a draw is its mean over time. This network draws nothing else, so all of it
learns how the axes of such means depend on one another and on the words. It reads no token
states. Time and text modulate every layer through one shared map with a bias per layer (PixArt's
adaLN-single), as in the transformer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model.diffusion.denoisers.context import Context
from gdr_model.diffusion.denoisers.initial import normal
from gdr_model.diffusion.denoisers.mlp import TIME_FEATURES, time_features, two_layers


@dataclass(frozen=True)
class ResidualConfig:
    """Shape of the network; stored with its weights."""

    dim: int
    frames: int = 1
    width: int = 448
    layers: int = 6
    text_width: int = 512
    dropout: float = 0.1


class Layer(nn.Module):
    """Norm, linear, GELU, linear, added to what comes in; scale, shift and gate from outside."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)
        self.modulation_bias = nn.Parameter(torch.zeros(3 * width))
        self.dropout = dropout

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        """From x (B, T, width) and modulation (B, 1, 3 * width) to (B, T, width)."""
        shift, scale, gate = (modulation + self.modulation_bias).chunk(3, dim=2)
        y = F.gelu(self.inner(self.norm(x) * (1 + scale) + shift), approximate="tanh")
        y = F.dropout(y, self.dropout, self.training)
        moved: Tensor = x + gate * self.outer(y)
        return moved


class ResidualDenoiser(nn.Module):
    """Predicts (B, 1, D) from x (B, 1, D), t (B,) and a `Context`; frames are independent."""

    def __init__(self, config: ResidualConfig) -> None:
        super().__init__()
        self.config = c = config
        self.inlet = nn.Linear(c.dim, c.width)
        self.time = two_layers(TIME_FEATURES, c.width)
        self.text = two_layers(c.text_width, c.width)
        # Takes the place of the text, once read, where there are no words.
        self.null = normal(c.width, deviation=0.02)
        self.modulation = nn.Linear(c.width, 3 * c.width)
        self.layers = nn.ModuleList(Layer(c.width, c.dropout) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.width)
        self.outlet = nn.Linear(c.width, c.dim)
        for last in (self.modulation, self.outlet):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def read(self, states: Tensor, mask: Tensor, pooled: Tensor) -> Context:
        """Text (B, L, E), mask (B, L), pooled (B, E) to a context that holds pooled text only."""
        present = mask.any(dim=1)[:, None]
        text = torch.where(present, self.text(pooled), self.null)
        return Context((), mask[:, None, None], text)

    def forward(self, x: Tensor, t: Tensor, context: Context) -> Tensor:
        """One evaluation: x (B, T, D), t (B,) to (B, T, D)."""
        condition = self.time(time_features(t)) + context.pooled
        modulation = self.modulation(F.silu(condition))[:, None]
        y = self.inlet(x) + condition[:, None]
        for layer in self.layers:
            y = layer(y, modulation)
        out: Tensor = self.outlet(self.norm(y))
        return out
