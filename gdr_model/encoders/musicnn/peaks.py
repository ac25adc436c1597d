"""The largest response over frequency of filters that slide along a spectrogram.

This is most of the network's work. High filters are applied as products of transforms along
frequency, which takes a quarter of the multiplications, filters of one band as products of
matrices; both a few frames at a time, so that everything stays in the cache.

Shapes: B spectrograms, F frames, M mel bands, C channels, h frames and w bands of a filter.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

HIGH_FRAMES, FLAT_FRAMES = 16, 32
"""Frames at once, the fastest on a core with 1 MB of cache."""
ACCELERATED = 64
"""How many times as many on an accelerator, where every step costs the time of a launch."""


def peaks(spectrograms: Tensor, filters: Tensor) -> Tensor:
    """Padded spectrograms (B, F + h - 1, M) and filters (C, h, w) to maxima (B, F, C)."""
    of_one = flat if filters.shape[2] == 1 else high
    return torch.stack([of_one(spectrogram, filters) for spectrogram in spectrograms])


def flat(spectrogram: Tensor, filters: Tensor) -> Tensor:
    """Maxima (F, C) for filters of one band (C, h, 1)."""
    channels, length, _ = filters.shape
    kernel = filters[:, :, 0].T.contiguous()
    bands = spectrogram.T.contiguous()  # each patch is a run of memory
    found, frames = [], at_once(FLAT_FRAMES, bands)
    for patches in torch.split(bands.unfold(1, length, 1), frames, 1):  # (M, F', h)
        responses = patches.reshape(-1, length) @ kernel
        found.append(responses.view(len(bands), -1).amax(dim=0).view(-1, channels))
    return torch.cat(found)


def high(spectrogram: Tensor, filters: Tensor) -> Tensor:
    """Maxima (F, C) for filters of several bands (C, h, w).

    A transform as long as the spectrum is high does not wrap at the places where a filter fits.
    They are counted from the middle one: at n and -n the response is even(n) ± odd(n), sums of
    cosines and of sines, so the larger of both is even(n) + |odd(n)|.
    """
    channels, length, height = filters.shape
    bands = spectrogram.shape[1]
    places = bands - height + 1
    middle = (places - 1) // 2
    cosines, sines = waves(bands, torch.arange(bands), spectrogram)
    bins = torch.stack([spectrogram @ cosines, spectrogram @ -sines], dim=2)  # (F + h - 1, K, 2)
    to_real, to_imaginary = transformed(filters, bands, middle)
    cosines, sines = waves(bands, torch.arange(places - middle), spectrogram)
    shares = torch.full((bands // 2 + 1,), 2 / bands)
    shares[0] = 1 / bands
    if bands % 2 == 0:
        shares[-1] = 1 / bands  # these two frequencies have no mirror image
    cosines, sines = cosines * shares.to(cosines), sines * -shares.to(sines)  # (places, K) each
    found, frames = [], at_once(HIGH_FRAMES, bins)
    for patches in torch.split(bins.unfold(0, length, 1).transpose(0, 1), frames, 1):
        patch = patches.flatten(2)  # (K, F', 2 h)
        even = cosines @ torch.bmm(patch, to_real).flatten(1)  # (places, F' C)
        odd = sines @ torch.bmm(patch, to_imaginary).flatten(1)
        both = even[: middle + 1] + odd[: middle + 1].abs()
        # Of an even number of places, the last has no mirror image.
        responses = torch.cat([both, even[middle + 1 :] + odd[middle + 1 :]])
        found.append(responses.amax(dim=0).view(-1, channels))
    return torch.cat(found)


def at_once(frames: int, on: Tensor) -> int:
    """Frames at once on the device of a tensor."""
    return frames if on.device.type == "cpu" else ACCELERATED * frames


def transformed(filters: Tensor, bands: int, middle: int) -> tuple[Tensor, Tensor]:
    """Matrices (K, 2 h, C) from h frames of a bin, real then imaginary, to a product's two parts.

    The product is that with the conjugates of the filters' transforms, moved by `middle` bands.
    """
    cosines, sines = waves(bands, middle + torch.arange(filters.shape[2]), filters)
    real, imaginary = (filters @ wave for wave in (cosines, -sines))  # (C, h, K) each
    parts = ((real, imaginary), (-imaginary, real))
    to_real, to_imaginary = (torch.cat(part, dim=1).permute(2, 1, 0) for part in parts)
    return to_real.contiguous(), to_imaginary.contiguous()


def waves(bands: int, places: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines (places, K) of a real transform's K = bands // 2 + 1 frequencies."""
    turns = places[:, None] * torch.arange(bands // 2 + 1) % bands
    angles = 2 * math.pi / bands * turns.double()
    return angles.cos().float().to(like), angles.sin().float().to(like)
