"""MusCALL's two towers: 20 s of sound, or a sentence, to a point of one space.

    sound -> mel in dB -> stem -> 4 residual stages -> attention pool -> projection
    words -> tokens + positions -> causal transformer -> state of the end token -> projection

Manco et al., "Contrastive Audio-Language Learning for Music", ISMIR 2022. The audio tower is the
modified ResNet of CLIP (Radford et al., 2021) over spectrograms. Tensors are named as in the
official state dict.

Shapes: sound (B, N), mel (B, bands, F), features (B, C, M, F), token ids (B, L), states (B, L, E).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model.encoders.shared.mel import Mel

STAGES = (3, 4, 6, 3)
EXPANSION = 4
POOL_HEADS = 8
FLOOR_DB = 100.0
"""Levels are at least this far below the loudest band of a window."""


@dataclass(frozen=True)
class MuscallConfig:
    """Sizes; the defaults are the paper's (40.77 M parameters)."""

    dim: int = 512
    """Width of the space of both towers."""
    audio_seconds: int = 20
    audio_width: int = 256
    audio_channels: int = 16
    mels: int = 128
    sample_rate_hz: int = 16_000
    fft: int = 1024
    low_hz: float = 0.0
    high_hz: float = 11_025.0
    """Above half the sample rate: the uppermost bands are always at the floor."""
    text_layers: int = 4
    text_width: int = 512
    text_heads: int = 8
    vocabulary: int = 49_408
    max_tokens: int = 77

    @property
    def samples(self) -> int:
        """Samples of one window."""
        return self.audio_seconds * self.sample_rate_hz

    @property
    def mel(self) -> Mel:
        """The spectrogram, before its level is taken."""
        hop = self.fft // 2
        return Mel(
            self.sample_rate_hz, self.fft, self.fft, hop, self.mels, self.low_hz, self.high_hz
        )

    @property
    def positions(self) -> int:
        """Positions that the attention pool sees: the mean, then those of the feature map."""
        frames = self.samples // self.mel.hop + 1
        return (self.mels // 32) * (frames // 32) + 1


def upstream_config(described: Mapping[str, Any]) -> MuscallConfig:
    """Sizes from the official configuration (its YAML's fields).

    Raises:
        KeyError: if one is missing.
    """
    audio, text = described["audio"], described["text"]
    return MuscallConfig(
        dim=described["projection_dim"],
        audio_seconds=audio["audio_len_seconds"],
        audio_width=audio["hidden_size"],
        audio_channels=audio["conv_out_channels"],
        mels=audio["n_mels"],
        sample_rate_hz=audio["sample_rate"],
        fft=audio["n_fft"],
        low_hz=audio["f_min"],
        high_hz=audio["f_max"],
        text_layers=text["num_hidden_layers"],
        text_width=text["hidden_size"],
        text_heads=text["num_attention_heads"],
        vocabulary=text["vocab_size"],
        max_tokens=text["max_position_embeddings"],
    )


def decibel_mel(samples: Tensor, mel: Mel) -> Tensor:
    """Sound (B, N) to dB (B, bands, F), the spectrum divided by the window's Euclidean norm."""
    energy = torch.hann_window(mel.window).square().sum().to(samples)
    level = 10 * torch.log10((mel.power(samples, mel.triangles()) / energy).clamp_min(1e-10))
    return torch.maximum(level, level.amax((1, 2), keepdim=True) - FLOOR_DB)


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions with batch norm; strided by averaging, residual."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        out = EXPANSION * width
        self.conv1 = nn.Conv2d(width_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.pool = nn.AvgPool2d(stride)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample: nn.Sequential | None = None
        if stride > 1 or width_in != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(width_in, out, 1, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, M, F) to (B, 4 · width, M / stride, F / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(self.pool(y)))
        return F.relu(y + (x if self.downsample is None else self.downsample(self.pool(x))))


class AttentionPool(nn.Module):
    """The mean of all positions attends to itself and to each of them."""

    def __init__(self, positions: int, width: int, out: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(positions, width) / width**0.5)
        self.k_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.c_proj = nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, M, F) to (B, out)."""
        features = x.flatten(2).transpose(1, 2)  # (B, M F, C)
        features = torch.cat([features.mean(1, keepdim=True), features], dim=1)
        features = features + self.positional_embedding
        q, k, v = self.q_proj(features[:, :1]), self.k_proj(features), self.v_proj(features)
        pooled: Tensor = self.c_proj(attend(q, k, v, POOL_HEADS))
        return pooled[:, 0]


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int, *, causal: bool = False) -> Tensor:
    """Queries (B, L, E), keys and values (B, S, E) to (B, L, E), head by head."""
    q, k, v = (x.view(*x.shape[:2], heads, -1).transpose(1, 2) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).flatten(2)


class AudioTower(nn.Module):
    """Mel in dB (B, 1, bands, F) to (B, audio_width)."""

    def __init__(self, c: MuscallConfig) -> None:
        super().__init__()
        width, half = c.audio_channels, c.audio_channels // 2
        self.conv1 = nn.Conv2d(1, half, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(half)
        self.conv2 = nn.Conv2d(half, half, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = nn.Conv2d(half, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.layer1 = stage(width, width, STAGES[0], 1)
        self.layer2 = stage(EXPANSION * width, 2 * width, STAGES[1], 2)
        self.layer3 = stage(EXPANSION * 2 * width, 4 * width, STAGES[2], 2)
        self.layer4 = stage(EXPANSION * 4 * width, 8 * width, STAGES[3], 2)
        self.attnpool = AttentionPool(c.positions, EXPANSION * 8 * width, c.audio_width)

    def stem(self, mel: Tensor) -> Tensor:
        """Three convolutions and an average pool: (B, C, M / 4, F / 4)."""
        y = F.relu(self.bn1(self.conv1(mel)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.avg_pool2d(F.relu(self.bn3(self.conv3(y))), 2)

    def forward(self, mel: Tensor) -> Tensor:
        """One window per row."""
        y = self.stem(mel)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            y = layer(y)
        pooled: Tensor = self.attnpool(y)
        return pooled


def stage(width_in: int, width: int, depth: int, stride: int) -> nn.Sequential:
    """Bottlenecks; the first changes width and resolution."""
    rest = (Bottleneck(EXPANSION * width, width, 1) for _ in range(depth - 1))
    return nn.Sequential(Bottleneck(width_in, width, stride), *rest)


class SelfAttention(nn.Module):
    """Causal attention; queries, keys and values from one matrix without bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_qkv = nn.Linear(width, 3 * width, bias=False)
        self.out_projection = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, E) to the same."""
        q, k, v = self.to_qkv(x).chunk(3, dim=2)
        y: Tensor = self.out_projection(attend(q, k, v, self.heads, causal=True))
        return y


class FeedForward(nn.Module):
    """Linear, GELU, (dropout,) linear."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(0.2), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, E) to the same."""
        y: Tensor = self.mlp(x)
        return y


class PreNorm(nn.Module):
    """x + fn(norm(x))."""

    def __init__(self, width: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, E) to the same."""
        summed: Tensor = x + self.fn(self.norm(x))
        return summed


class Transformer(nn.Module):
    """Layers of attention and feed-forward, then a norm."""

    def __init__(self, c: MuscallConfig) -> None:
        super().__init__()
        width = c.text_width
        self.layers = nn.Sequential(
            *(
                nn.Sequential(
                    PreNorm(width, SelfAttention(width, c.text_heads)),
                    PreNorm(width, FeedForward(width)),
                )
                for _ in range(c.text_layers)
            )
        )
        self.norm_out = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, E) to the same."""
        y: Tensor = self.norm_out(self.layers(x))
        return y


class TextTower(nn.Module):
    """Token ids (B, L) to states (B, L, E).

    Attention is causal and has no padding mask: a state depends only on the tokens before it.
    """

    def __init__(self, c: MuscallConfig) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(c.vocabulary, c.text_width)
        self.position_embedding = nn.Embedding(c.max_tokens, c.text_width)
        self.transformer = Transformer(c)
        # It is in the official state dict and is never applied.
        self.ln_final = nn.LayerNorm(c.text_width)

    def forward(self, ids: Tensor) -> Tensor:
        """Prompts of equal length, one per row."""
        positions = self.position_embedding.weight[: ids.shape[1]]
        states: Tensor = self.transformer(self.token_embedding(ids) + positions)
        return states


def learned(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An official state dict without its window and filters, which follow from the sizes."""
    return {
        name: value
        for name, value in tensors.items()
        if not name.startswith("audio_backbone.spec.")
    }


def last_states(states: Tensor, ids: Tensor) -> Tensor:
    """States (B, E) of the end token, the one with the largest of the ids (B, L)."""
    return states[torch.arange(len(ids), device=ids.device), ids.argmax(1)]


class Muscall(nn.Module):
    """Both towers and their projections; vectors are not normalised."""

    def __init__(self, config: MuscallConfig) -> None:
        super().__init__()
        self.config = c = config
        self.audio_backbone = AudioTower(c)
        self.textual_head = TextTower(c)
        self.audio_projection = nn.Linear(c.audio_width, c.dim, bias=False)
        self.text_projection = nn.Linear(c.text_width, c.dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(2.6593))

    def level(self, samples: Tensor) -> Tensor:
        """Windows (B, N) to mel in dB (B, 1, bands, F)."""
        return decibel_mel(samples, self.config.mel)[:, None]

    def point(self, level: Tensor) -> Tensor:
        """Mel in dB (B, 1, bands, F) to (B, D)."""
        point: Tensor = self.audio_projection(self.audio_backbone(level))
        return point

    def sound(self, samples: Tensor) -> Tensor:
        """Windows (B, N) to (B, D)."""
        return self.point(self.level(samples))

    def words(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Token ids (B, L) to states (B, L, E) and points (B, D)."""
        states = self.textual_head(ids)
        return states, self.text_projection(last_states(states, ids))
