"""Mel spectrograms as other projects' encoders were trained on: torch.stft, HTK triangles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Mel:
    """Power of `bands` HTK-mel bands, every `hop` samples.

    Frames have `fft` samples and are centred, with the sound mirrored at both ends; a periodic
    Hann window of `window` samples weights the middle of each.
    """

    sample_rate_hz: int
    fft: int
    window: int
    hop: int
    bands: int
    low_hz: float
    high_hz: float
    """May be above half the sample rate; the bands there are empty."""

    def power(self, samples: Tensor, filters: Tensor, *, centre: bool = True) -> Tensor:
        """Samples (B, N) to the filters' power (B, bands, 1 + N // hop).

        The window is computed in the filters' precision, the transform in the samples'. With
        `centre=False` nothing is mirrored: the first frame begins with the first sample.
        """
        window = torch.hann_window(self.window, dtype=filters.dtype)
        margin = (self.fft - self.window) // 2
        spectrum = torch.stft(
            samples,
            self.fft,
            self.hop,
            window=F.pad(window.to(samples), (margin, margin)),
            center=centre,
            pad_mode="reflect",
            return_complex=True,
        )
        power = spectrum.real.square() + spectrum.imag.square()  # (B, bins, frames)
        return filters.to(samples).T @ power

    def triangles(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """Filters (fft // 2 + 1, bands) of peak height one.

        Computed in `dtype` from end to end, because networks were trained with one or the other:
        in single precision they equal torchaudio's to the last bit, and differ by up to 1e-5 from
        those in double.
        """
        return _triangles(self, dtype)


@lru_cache(maxsize=8)
def _triangles(mel: Mel, dtype: torch.dtype) -> Tensor:
    low, high = (2595 * math.log10(1 + hz / 700) for hz in (mel.low_hz, mel.high_hz))
    edges = 700 * (10 ** (torch.linspace(low, high, mel.bands + 2, dtype=dtype) / 2595) - 1)
    bins = torch.linspace(0, mel.sample_rate_hz // 2, mel.fft // 2 + 1, dtype=dtype)
    offsets, widths = edges - bins[:, None], edges.diff()
    rising, falling = -offsets[:, :-2] / widths[:-1], offsets[:, 2:] / widths[1:]
    return torch.minimum(rising, falling).clamp_min(0)
