"""The log-mel front ends of both MULE networks; each network needs its own.

Both have 96 HTK-mel bands from 0 to 8 kHz and a frame every 10 ms, of 25 ms transformed at 2048
points; a network reads 300 frames, three seconds.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from gdr_model.encoders.shared.mel import Mel

SAMPLE_RATE_HZ = 16_000
WINDOW = 3 * SAMPLE_RATE_HZ
FRAMES = 300
MEL = Mel(SAMPLE_RATE_HZ, fft=2048, window=400, hop=160, bands=96, low_hz=0, high_hz=8000)


@lru_cache(maxsize=1)
def published_filters() -> Tensor:
    """The published network's triangles (bins, 96): each divided by its Euclidean norm."""
    triangles = MEL.triangles(torch.float64)
    normed: Tensor = triangles / torch.linalg.vector_norm(triangles, dim=0)
    return normed


def log10_mel(samples: Tensor, *, centre: bool = True) -> Tensor:
    """Samples (B, N) to log10(10⁴ x + 1) of the published filters' power x (B, 96, F).

    In double precision, as the published code computes it; on the processor, if the device of the
    samples has none (Apple's).
    """
    precise = samples if samples.device.type in ("cpu", "cuda") else samples.cpu()
    power = MEL.power(precise.double(), published_filters(), centre=centre)
    return torch.log10(10_000 * power + 1).to(samples)


def standardise(mel: Tensor) -> Tensor:
    """Slices (B, 96, 300), each at mean zero and deviation one; near silence is not amplified."""
    deviation, mean = torch.std_mean(mel, (1, 2), correction=0, keepdim=True)
    return (mel - mean) / deviation.clamp_min(0.01)


def decibel_mel(samples: Tensor) -> Tensor:
    """Samples (B, N) to dB of the power in triangles of peak one (B, 96, F), at least -100."""
    return 10 * torch.log10(MEL.power(samples, MEL.triangles()).clamp_min(1e-10))
