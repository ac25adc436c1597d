"""What the tests of voices share: a synthetic vowel, its pitch, and a mark for the commands."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass

import numpy as np
import pytest

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.types import Array
from recipes.builtin.voices.speakers import COMMANDS

HAS_WORLD = importlib.util.find_spec("pyworld") is not None
MISSING = [command for command in COMMANDS if shutil.which(command) is None]

needs_world = pytest.mark.skipif(not HAS_WORLD, reason="the package pyworld is not installed")
needs_voices = pytest.mark.skipif(
    bool(MISSING) or not HAS_WORLD, reason="espeak-ng, flite and pyworld are not all installed"
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def vowel(hz: float = 120.0, seconds: float = 0.4) -> Array:
    """An "oo": harmonics that fall by 1 / n, so that the fundamental is the strongest."""
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    sound = np.zeros_like(t)
    for number in range(1, int(4000 / hz)):
        sound += np.sin(2 * np.pi * number * hz * t + number) / number
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


@dataclass(frozen=True)
class Vowel:
    """A speaker who says every word as the same vowel, without any command."""

    hz: float = 120.0

    def say(self, text: str) -> Array:
        return vowel(self.hz)


def pitch_of(sound: Array, lowest: float = 40, highest: float = 80) -> float:
    """MIDI pitch of a steady voice by autocorrelation, refined by a parabola through the peak."""
    centred = sound - sound.mean()
    spectrum = np.abs(np.fft.rfft(centred, 2 * len(sound))) ** 2
    correlation = np.fft.irfft(spectrum)[: len(sound)]
    correlation /= np.arange(len(sound), 0, -1)  # the overlap shrinks with the lag

    def lag(pitch: float) -> int:
        return round(SAMPLE_RATE_HZ / (440 * 2 ** ((pitch - 69) / 12)))

    shortest, longest = lag(highest), lag(lowest)
    # The first lag that is nearly as good as the best: not an octave below.
    region = correlation[shortest:longest]
    peaks = [
        n
        for n in range(1, len(region) - 1)
        if region[n - 1] <= region[n] >= region[n + 1] and region[n] > 0.9 * region.max()
    ]
    n = shortest + peaks[0]
    left, middle, right = correlation[n - 1 : n + 2]
    period = n + 0.5 * (left - right) / (left - 2 * middle + right)
    return float(69 + 12 * np.log2(SAMPLE_RATE_HZ / period / 440))


def between(sound: Array, start_s: float, end_s: float) -> Array:
    return sound[round(start_s * SAMPLE_RATE_HZ) : round(end_s * SAMPLE_RATE_HZ)]
