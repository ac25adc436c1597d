"""The built-in audio encoder: log-mel, a small depthwise-separable CNN, one latent a second.

It is fully convolutional in time: a track is read once, and each latent pools the frames of
the `WINDOW_S` seconds around it, so overlapping windows are not computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdr_model.encoders.shared import loudness
from gdr_model.errors import Cancelled
from gdr_model.types import Array, Cancel, LatentSpace, Samples, never

SAMPLE_RATE_HZ = 16_000
HOP = 250
"""Samples between mel frames: 64 frames a second, so that strides of 16 leave 4 a second."""
FFT = 512
MELS = 64
MEL_RANGE_HZ = (50.0, 7600.0)
FRAMES_PER_S = SAMPLE_RATE_HZ // HOP
WINDOW_S = 4
TIME_STRIDE = 16
POOLED_PER_S = FRAMES_PER_S // TIME_STRIDE
LOUDNESS_DB = -20.0
"""RMS to which every track is scaled before encoding; the teachers' labels depend on level."""
CHUNK_S = 40
"""Seconds encoded at once: long enough for speed, short enough to cancel and to fit a cache."""
MARGIN_S = 6
"""Seconds on both sides of a chunk that its latents depend on: 2 to level it, 1.9 for the
convolutions, 1.5 to pool. They are computed twice, so that chunks change no latent."""
SPECTRA_S = 4
"""Seconds whose spectra are computed at once; those of a minute would take 60 MB."""


@lru_cache(maxsize=1)
def mel_filters() -> Tensor:
    """Triangular HTK-mel filters (FFT // 2 + 1, MELS), peak height one."""

    def to_mel(hz: Array) -> Array:
        return np.asarray(2595.0 * np.log10(1.0 + hz / 700.0))

    low, high = to_mel(np.array(MEL_RANGE_HZ))
    edges = 700.0 * (10.0 ** (np.linspace(low, high, MELS + 2) / 2595.0) - 1.0)
    bins = np.linspace(0, SAMPLE_RATE_HZ / 2, FFT // 2 + 1)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    return torch.tensor(np.maximum(0, np.minimum(rising, falling)), dtype=torch.float32)


def normalise_loudness(samples: Array) -> Array:
    """Samples (N,) scaled to an RMS of `LOUDNESS_DB`; digital silence stays silent."""
    return loudness.gain(samples, len(samples), LOUDNESS_DB) * samples


def log_mel(samples: Tensor) -> Tensor:
    """Samples (B, N) to natural-log mel power (B, F, MELS), F = N // HOP."""
    frames = samples.shape[-1] // HOP
    padded = F.pad(samples[:, : frames * HOP], (FFT // 2, FFT // 2))
    step = SPECTRA_S * FRAMES_PER_S
    parts = []
    for first in range(0, max(frames, 1), step):
        last = min(first + step, frames)
        parts.append(_log_mel(padded[:, first * HOP : max(last - 1, 0) * HOP + FFT], last - first))
    return torch.cat(parts, 1)


def _log_mel(padded: Tensor, frames: int) -> Tensor:
    """Samples (B, (F - 1) * HOP + FFT) to natural-log mel power of F frames (B, F, MELS)."""
    window = torch.hann_window(FFT, device=padded.device)
    spectrum = torch.stft(padded, FFT, HOP, window=window, center=False, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()  # (B, bins, F)
    mel = power[..., :frames].transpose(1, 2) @ mel_filters().to(padded.device)
    return torch.log(mel + 1e-5)


def log_mel_chunks(
    samples: Samples, seconds: int, device: torch.device
) -> Iterator[tuple[int, Tensor]]:
    """Chunks of the log-mel of samples (N,), with their margins: first second, (1, F, MELS).

    They are those of `log_mel(normalise_loudness(samples))`, of little of it at a time.
    """
    gain = loudness.gain(samples, seconds * SAMPLE_RATE_HZ, LOUDNESS_DB)
    begin = end = 0
    mel = torch.empty(1, 0, MELS, device=device)
    for start in range(0, seconds, CHUNK_S):
        first, last = max(0, start - MARGIN_S), min(seconds, start + CHUNK_S + MARGIN_S)
        parts = [mel[:, (first - begin) * FRAMES_PER_S :]]
        for second in range(end, last, SPECTRA_S):
            frames = (min(second + SPECTRA_S, last) - second) * FRAMES_PER_S
            sound = _around(samples, second * SAMPLE_RATE_HZ, frames, seconds * SAMPLE_RATE_HZ)
            parts.append(_log_mel(torch.from_numpy(gain * sound)[None].to(device), frames))
        begin, end, mel = first, last, torch.cat(parts, 1)
        yield first, mel


def _around(samples: Samples, first: int, frames: int, count: int) -> Array:
    """What `_log_mel` reads for frames from sample `first` on, of `count` between silence."""
    begin, end = first - FFT // 2, first + (frames - 1) * HOP + FFT // 2
    sound = loudness.piece(samples, max(begin, 0), min(end, count))
    return np.pad(sound, (max(-begin, 0), max(end - count, 0)))


def levelled(mel: Tensor) -> Tensor:
    """Log-mel (B, F, MELS) without its slow changes of level, (B, 1, F, MELS)."""
    level = mel.mean(dim=2).unsqueeze(1)  # (B, 1, F)
    width = WINDOW_S * FRAMES_PER_S
    local = F.avg_pool1d(level, width + 1, 1, width // 2, count_include_pad=False)
    return ((mel - local.transpose(1, 2)) / 2.5).unsqueeze(1)


def pool_windows(frames: Tensor) -> Tensor:
    """Mean and max over `WINDOW_S` around each second: (B, C, F') to (B, T, 2C).

    Windows at the edges pool the frames there are, so T = F' / POOLED_PER_S at any length.
    """
    width, hop = WINDOW_S * POOLED_PER_S, POOLED_PER_S
    left = (width - hop) // 2
    right = width - hop - left
    length = frames.shape[-1]
    ones = F.pad(torch.ones(1, 1, length, device=frames.device), (left, right))
    mean = F.avg_pool1d(F.pad(frames, (left, right)), width, hop) / F.avg_pool1d(ones, width, hop)
    peak = F.max_pool1d(F.pad(frames, (left, right), value=float("-inf")), width, hop)
    return torch.cat([mean, peak], dim=1).transpose(1, 2)


class Separable(nn.Module):
    """Depthwise 3×3 and pointwise convolution with batch norm; residual where shapes allow."""

    def __init__(self, width_in: int, width_out: int, stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.residual = width_in == width_out and stride == (1, 1)
        self.body = nn.Sequential(
            nn.Conv2d(width_in, width_in, 3, stride, 1, groups=width_in, bias=False),
            nn.BatchNorm2d(width_in),
            nn.ReLU(),
            nn.Conv2d(width_in, width_out, 1, bias=False),
            nn.BatchNorm2d(width_out),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, F, M) to (B, C', F', M')."""
        y = self.body(x)
        return F.relu(x + y if self.residual else y)


class AudioNet(nn.Module):
    """Log-mel (B, F, MELS) to features (B, T, `FEATURES`), one a second."""

    FEATURES = 256

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 32, (8, 4), (4, 2), (2, 1), bias=False), nn.BatchNorm2d(32), nn.ReLU()
        )
        self.blocks = nn.Sequential(
            Separable(32, 64, (2, 2)),
            Separable(64, 128, (1, 2)),
            Separable(128, 128),
            Separable(128, 128),
            Separable(128, 512, (2, 2)),
            Separable(512, 512),
            Separable(512, 512),
            Separable(512, 512),
            Separable(512, 512),
            Separable(512, 512),
        )
        # Frequency is flattened, not averaged: its distribution tells instruments apart.
        self.squeeze = nn.Sequential(nn.Linear(512 * 4, 512), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(1024, self.FEATURES), nn.LayerNorm(self.FEATURES))

    def forward(self, mel: Tensor) -> Tensor:
        """(B, F, MELS) with F a multiple of FRAMES_PER_S to (B, T, FEATURES)."""
        x = self.blocks(self.stem(levelled(mel)))  # (B, 512, F / 16, 4)
        frames = self.squeeze(x.permute(0, 2, 1, 3).flatten(2))  # (B, F / 16, 512)
        features: Tensor = self.head(pool_windows(frames.transpose(1, 2)))
        return features


def space(dim: int, fingerprint: str) -> LatentSpace:
    """The latent space of weights with this fingerprint, projected to `dim` components."""
    return LatentSpace("builtin", dim, SAMPLE_RATE_HZ, WINDOW_S, 1.0, fingerprint)


class BuiltinEncoder:
    """`AudioNet` and the projection onto its leading principal components, as an encoder."""

    def __init__(self, net: AudioNet, projection: Tensor, space: LatentSpace) -> None:
        self.net = net.eval()
        self.projection = projection  # (FEATURES, D), on the same device as `net`
        self.space = space

    @cached_property
    def _features(self) -> Callable[[Tensor], Tensor]:
        if self.projection.device.type != "cpu":
            return self.net
        from gdr_model.encoders.builtin.on_cpu import on_cpu

        return on_cpu(self.net)

    def encode(self, samples: Samples, cancelled: Cancel = never) -> Array:
        """Samples (N,) at 16 kHz to latents (T, D), T = max(1, round(N / 16000)).

        Raises:
            Cancelled: between chunks, when the caller asks to stop.
        """
        seconds = max(1, round(len(samples) / SAMPLE_RATE_HZ))
        pieces: list[Array] = []
        with torch.inference_mode():
            for first, mel in log_mel_chunks(samples, seconds, self.projection.device):
                if cancelled():
                    raise Cancelled("encoding was stopped")
                start = len(pieces) * CHUNK_S
                latents = self._features(mel)[0] @ self.projection
                inner = slice(start - first, min(seconds, start + CHUNK_S) - first)
                pieces.append(latents[inner].cpu().numpy())
        return np.concatenate(pieces)
