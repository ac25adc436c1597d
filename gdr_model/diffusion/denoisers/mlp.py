"""An MLP over one time-mean at a time, modulated by time and pooled text.

The method's small network: linear, adaptive layer norm (Perez et al. 2018; as `adaLN` in DiT,
Peebles & Xie 2023), SiLU, dropout; a last linear and adaptive norm without activation. It uses
no token states and draws (Q, 1, D): a passage's mean over time.

`load_upstream` accepts the weights of the method's authors, whose time features begin with the
cosines and whose modulation is a scale, then a shift.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model.diffusion.denoisers.context import Context
from gdr_model.diffusion.denoisers.initial import normal

TIME_FEATURES = 256
TEXT_LENGTH = 4.0
"""About that of a sentence from all-MiniLM-L6-v2."""


@dataclass(frozen=True)
class MlpConfig:
    """Shape of the network; stored with its weights."""

    dim: int
    frames: int = 1
    widths: tuple[int, ...] = (2048, 2048, 2048)
    condition_width: int = 512
    text_width: int = 384
    dropout: float = 0.1
    unit_text: bool = False
    """Bring every pooled text to one length, `TEXT_LENGTH`: with some encoders a short text is a
    long vector, and captions of other sources are of other lengths."""


def time_features(t: Tensor) -> Tensor:
    """Sinusoidal features (B, TIME_FEATURES) of times (B,), cosines first."""
    half = TIME_FEATURES // 2
    steps = torch.arange(half, device=t.device, dtype=torch.float32)
    angles = t.float()[:, None] * torch.exp(-math.log(10_000) * steps / half)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def two_layers(width_in: int, width: int) -> nn.Sequential:
    """Linear, SiLU, linear."""
    return nn.Sequential(nn.Linear(width_in, width), nn.SiLU(), nn.Linear(width, width))


class Modulated(nn.Module):
    """A linear map, then a layer norm whose scale and shift follow the condition."""

    def __init__(self, width_in: int, width: int, condition_width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width_in, width)
        self.norm = nn.LayerNorm(width)
        self.modulation = nn.Linear(condition_width, 2 * width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """From x (B, T, width_in) and condition (B, C) to (B, T, width)."""
        scale, shift = self.modulation(F.silu(condition))[:, None].chunk(2, dim=2)
        y: Tensor = self.norm(self.linear(x)) * (1 + scale) + shift
        return y


class MlpDenoiser(nn.Module):
    """Predicts (B, 1, D) from x (B, 1, D), t (B,) and a `Context`; frames are independent."""

    def __init__(self, config: MlpConfig) -> None:
        super().__init__()
        self.config = c = config
        self.time = two_layers(TIME_FEATURES, c.condition_width)
        self.text = two_layers(c.text_width, c.condition_width)
        # Takes the place of the pooled text where there are no words.
        self.null = normal(c.text_width, deviation=0.02)
        ins, outs = (c.dim, *c.widths), (*c.widths, c.dim)
        self.layers = nn.ModuleList(
            Modulated(i, o, c.condition_width) for i, o in zip(ins, outs, strict=True)
        )

    def read(self, states: Tensor, mask: Tensor, pooled: Tensor) -> Context:
        """Text (B, L, E), mask (B, L), pooled (B, E) to a context that holds pooled text only."""
        present = mask.any(dim=1)[:, None]
        if self.config.unit_text:
            pooled = TEXT_LENGTH * F.normalize(pooled, dim=1)
        text = self.text(torch.where(present, pooled, self.null))
        return Context((), mask[:, None, None], text)

    def forward(self, x: Tensor, t: Tensor, context: Context) -> Tensor:
        """One evaluation: x (B, T, D), t (B,) to (B, T, D)."""
        return self.under(x, self.time(time_features(t)) + context.pooled)

    def under(self, x: Tensor, condition: Tensor) -> Tensor:
        """Only the layers: x (B, T, D) under a condition (B, C) that is already summed."""
        *inner, last = self.layers
        for layer in inner:
            x = F.dropout(F.silu(layer(x, condition)), self.config.dropout, self.training)
        y: Tensor = last(x, condition)
        return y

    def load_upstream(self, theirs: Mapping[str, Tensor]) -> None:
        """Load the authors' weights; the null, which they do not have, stays as it is.

        Raises:
            RuntimeError: if a tensor is missing or of another shape.
        """
        renamed = {upstream_key(key): value for key, value in theirs.items() if _used(key)}
        # Their last layer has a name of its own.
        last = f"layers.{len(self.layers) - 1}."
        ours = {key.replace("layers.final.", last): value for key, value in renamed.items()}
        self.load_state_dict({"null": self.null.detach(), **ours})


def _used(key: str) -> bool:
    """Every upstream layer has one more layer norm than it applies."""
    return ".layernorm." not in key


def upstream_key(key: str) -> str:
    """Our name for one of the authors' tensors; their last layer becomes `layers.final`."""
    for theirs, ours in (
        ("conditioning_embedder.timestep_embedder.linear_", "time."),
        ("conditioning_embedder.text_embedder.linear_", "text."),
    ):
        if key.startswith(theirs):
            number, _, rest = key.removeprefix(theirs).partition(".")
            return f"{ours}{2 * (int(number) - 1)}.{rest}"
    key = key.replace("final_layer.", "layers.final.linear.").replace(
        "final_norm.", "layers.final.norm."
    )
    return key.replace(".norm.linear.", ".modulation.").replace(".norm.norm.", ".norm.")
