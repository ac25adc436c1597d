"""musicnn (Pons and Serra, 2019; arXiv 1909.06654), the network of the wheel musicnn 0.1.0.

Convolutions over a log-mel spectrogram, wide in frequency for timbre and long in time for tempo,
then maximum and mean over a window of 3 s. The features before the last layer are the latents.
Everything is in single precision: the original's own front end casts to half and overflows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model.encoders.musicnn.peaks import peaks
from gdr_model.types import Array

MODEL_TYPE = "musicnn"
SAMPLE_RATE_HZ = 16_000
FFT = 512
HOP = 256
MELS = 96
WINDOW = 187
"""Frames of a window, 3 s."""
TIMBRAL = (38, 67)
"""Heights in mel bands of the timbral filters, which are `TIMBRAL_FRAMES` long."""
TIMBRAL_FRAMES = 7
TEMPORAL = (128, 64, 32)
"""Lengths in frames of the temporal filters, which are one band high."""
TIMBRAL_CHANNELS, TEMPORAL_CHANNELS, MIDDLE_CHANNELS = 204, 51, 64
FRONT = len(TIMBRAL) * TIMBRAL_CHANNELS + len(TEMPORAL) * TEMPORAL_CHANNELS
PENULTIMATE = 200


@dataclass(frozen=True)
class MusicnnConfig:
    """What differs between the published networks."""

    dim: int = PENULTIMATE
    tags: int = 50


def mel_edges(count: int, top_hz: float) -> Array:
    """Frequencies (count,) in Hz at equal steps of Slaney's mel scale, from 0 to `top_hz`.

    The scale is linear up to 1 kHz and logarithmic above.
    """
    linear_hz, log_start_hz, log_ratio = 200 / 3, 1000.0, 6.4 ** (1 / 27)
    log_start = log_start_hz / linear_hz
    top = log_start + math.log(top_hz / log_start_hz) / math.log(log_ratio)
    mels = np.linspace(0, top, count)
    return np.where(
        mels < log_start, mels * linear_hz, log_start_hz * log_ratio ** (mels - log_start)
    )


@lru_cache(maxsize=1)
def mel_filters() -> Tensor:
    """Mel filters of unit area (FFT // 2 + 1, MELS), as librosa makes them."""
    edges = mel_edges(MELS + 2, SAMPLE_RATE_HZ / 2)
    bins = np.linspace(0, SAMPLE_RATE_HZ / 2, FFT // 2 + 1)
    rising = (bins[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins[:, None]) / np.diff(edges)[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return torch.from_numpy(triangles * 2 / (edges[2:] - edges[:-2])).float()


def log_mel(samples: Tensor) -> Tensor:
    """Samples (B, N) to log10(1 + 10^4 power) of mel bands (B, 1 + (N - FFT) // HOP, MELS)."""
    spectrum = torch.stft(
        samples,
        FFT,
        HOP,
        window=torch.hann_window(FFT, device=samples.device),
        center=False,
        return_complex=True,
    )
    power = spectrum.real.square() + spectrum.imag.square()  # (B, bins, frames)
    return torch.log10(1 + 1e4 * (power.transpose(1, 2) @ mel_filters().to(samples.device)))


class Filters(nn.Module):
    """Convolution, ReLU, batch norm, and the maximum over frequency."""

    def __init__(self, channels: int, frames: int, bands: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, channels, (frames, bands))
        self.norm = nn.BatchNorm1d(channels, eps=1e-3)
        # Keras's "same": an odd frame is added on the right.
        self.padding = ((frames - 1) // 2, frames // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, F, MELS) to (B, F, C)."""
        # ReLU never falls, and batch norm rises or falls with its input, so the maximum can be
        # taken of the convolution itself, with filters that have the sign of the norm's slope.
        sign = self.norm.weight.sign()
        filters = self.conv.weight[:, 0] * sign[:, None, None]
        extreme = peaks(F.pad(x, (0, 0, *self.padding)), filters) * sign
        shifted = extreme + self.conv.get_parameter("bias")
        y: Tensor = self.norm(F.relu(shifted).transpose(1, 2))
        return y.transpose(1, 2)


class Middle(nn.Module):
    """A convolution over time across all channels, ReLU, batch norm."""

    def __init__(self, width_in: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width_in, MIDDLE_CHANNELS, 7, padding=3)
        self.norm = nn.BatchNorm1d(MIDDLE_CHANNELS, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, F, C) to (B, F, MIDDLE_CHANNELS)."""
        y: Tensor = self.norm(F.relu(self.conv(x.transpose(1, 2))))
        return y.transpose(1, 2)


class Musicnn(nn.Module):
    """Log-mel windows (B, F, MELS) to penultimate features (B, dim) and logits (B, tags)."""

    def __init__(self, config: MusicnnConfig) -> None:
        super().__init__()
        self.config = config
        self.input_norm = nn.BatchNorm1d(1, eps=1e-3)
        self.timbral = nn.ModuleList(
            Filters(TIMBRAL_CHANNELS, TIMBRAL_FRAMES, bands) for bands in TIMBRAL
        )
        self.temporal = nn.ModuleList(Filters(TEMPORAL_CHANNELS, frames, 1) for frames in TEMPORAL)
        self.middle = nn.ModuleList(
            [Middle(FRONT), Middle(MIDDLE_CHANNELS), Middle(MIDDLE_CHANNELS)]
        )
        pooled = 2 * (FRONT + 3 * MIDDLE_CHANNELS)
        self.pooled_norm = nn.BatchNorm1d(pooled, eps=1e-3)
        self.dense = nn.Linear(pooled, config.dim)
        self.dense_norm = nn.BatchNorm1d(config.dim, eps=1e-3)
        self.output = nn.Linear(config.dim, config.tags)

    def frames(self, mel: Tensor) -> Tensor:
        """Features of single frames (B, F, 753), before anything is pooled over time."""
        x = self.input_norm(mel.flatten(1).unsqueeze(1)).view_as(mel)
        front = torch.cat([part(x) for part in (*self.timbral, *self.temporal)], dim=2)
        first = self.middle[0](front)
        second = self.middle[1](first) + first
        third = self.middle[2](second) + second
        return torch.cat([front, first, second, third], dim=2)

    def pooled(self, peak: Tensor, mean: Tensor) -> Tensor:
        """Penultimate features (N, dim) of maxima and means over windows (N, 753) each."""
        both = torch.stack([peak, mean], dim=2).flatten(1)
        features: Tensor = self.dense_norm(F.relu(self.dense(self.pooled_norm(both))))
        return features

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """One window a row."""
        frames = self.frames(mel)
        features = self.pooled(frames.amax(dim=1), frames.mean(dim=1))
        return features, self.output(features)
