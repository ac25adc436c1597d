"""Whether two files hold the same recording, by their sound, where their latents leave it open.

The latents of a recording that was transposed by a semitone, or played one percent faster, differ
no more than those of a rip that begins half a frame later. Their spectra differ much more. The
beginnings of both files are compared as spectrograms whose bins are free of level and tone colour,
at the one offset that fits best, and the worst part of them counts: what is faster drifts away
from that offset, and what is transposed fits at none.

Shapes: F frames, B bins of the spectrum.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gdr_model.types import Array

HEARD_S = 30.0
"""Seconds of each file."""
_RATE_HZ = 8000
_FFT, _HOP = 1024, 160
_BINS = slice(13, 410)
"""From 100 to 3,200 Hz."""
_BAND = 16
"""Bins that are added up to find the offset."""
_APART = int(4.0 * _RATE_HZ / _HOP)
"""Frames by which one file can begin later than the other."""
_PART = int(6.0 * _RATE_HZ / _HOP)
"""Frames of the parts that are compared separately."""


def agreement(one: Path, other: Path) -> float:
    """How far the spectra of two files agree in the part where they agree least, up to 1.

    Raises:
        DecodeError: if one of them cannot be decoded.
    """
    return compared(_samples(one), _samples(other))


def compared(one: Array, other: Array) -> float:
    """The same for the samples (N,) of both, at 8,000 Hz."""
    a, b = _spectrogram(one), _spectrogram(other)
    if min(len(a), len(b)) < 2 * _PART:
        return -1.0
    shift = _offset(a, b)
    a, b = a[max(0, -shift) :], b[max(0, shift) :]
    length = min(len(a), len(b))
    parts = range(0, length - _PART + 1, _PART)
    if not parts:
        return -1.0
    return min(_correlation(a[at : at + _PART], b[at : at + _PART]) for at in parts)


def _samples(path: Path) -> Array:
    from gdr_model.audio import load_for_playback

    stereo = load_for_playback(path, _RATE_HZ, length_s=HEARD_S)
    return np.asarray(stereo.mean(axis=1))


def _spectrogram(samples: Array) -> Array:
    """Log power (F, B), without the mean of each bin."""
    window = np.hanning(_FFT).astype(np.float32)
    count = max(0, 1 + (len(samples) - _FFT) // _HOP)
    starts = _HOP * np.arange(count)[:, None] + np.arange(_FFT)
    power = np.abs(np.fft.rfft(samples[starts] * window, axis=1)[:, _BINS]) ** 2
    floor = 1e-5 * power.mean() + 1e-12
    logs = np.log(power + floor).astype(np.float32)
    return np.asarray(logs - logs.mean(axis=0))


def _offset(a: Array, b: Array) -> int:
    """By how many frames `b` is later than `a`: where their spectrograms correlate most."""
    size = 1 << int(np.ceil(np.log2(len(a) + len(b))))
    bands = [np.add.reduceat(x, np.arange(0, x.shape[1], _BAND), axis=1) for x in (a, b)]
    x, y = (np.fft.rfft(band, size, axis=0) for band in bands)
    course = np.fft.irfft((np.conj(x) * y).sum(axis=1), size)
    lags = np.arange(-_APART, _APART + 1)
    return int(lags[np.argmax(course[lags])])


def _correlation(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float(np.vdot(a, b)) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9)
