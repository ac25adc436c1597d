"""What rooms, loudspeakers, studios and bad copies do to sound, on mono samples (N,) at 16 kHz.

Every effect takes a random generator. Effects make remixes differ from their parents: they need not
be good, only as varied as recordings are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.types import Array

RNG = np.random.Generator


def rms(sound: Array) -> float:
    """Root mean square, never zero."""
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) + 1e-9


def filtered(sound: Array, gain_db: Callable[[Array], Array]) -> Array:
    """Apply a gain in dB that is a function of frequency in Hz."""
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    shaped = np.fft.irfft(spectrum * 10 ** (gain_db(hz) / 20), len(sound))
    return np.asarray(shaped, dtype=np.float32)


def equalised(sound: Array, rng: RNG) -> Array:
    """Apply a smooth random gain curve through five points, two octaves apart."""
    octaves = np.log2(np.array([40.0, 160.0, 640.0, 2500.0, 8000.0]))
    gains = rng.normal(0, 4.0, len(octaves))

    def gain_db(hz: Array) -> Array:
        return np.interp(np.log2(np.maximum(hz, 20.0)), octaves, gains).astype(np.float32)

    return filtered(sound, gain_db)


def band_limited(sound: Array, rng: RNG) -> Array:
    """Cut off the top, sometimes the bottom too: telephones, old records, low bit rates."""
    top = float(np.exp(rng.uniform(np.log(2500), np.log(7000))))
    bottom = float(rng.uniform(150, 400)) if rng.random() < 0.25 else 1.0

    def gain_db(hz: Array) -> Array:
        above = np.maximum(0, np.log2(np.maximum(hz, 1.0) / top))
        below = np.maximum(0, np.log2(bottom / np.maximum(hz, 1.0)))
        return np.asarray(-36 * above - 24 * below)

    return filtered(sound, gain_db)


def distorted(sound: Array, rng: RNG) -> Array:
    """Clip softly."""
    drive = rng.uniform(1.0, 6.0) / rms(sound) / 2
    return np.asarray(np.tanh(drive * sound), dtype=np.float32)


def compressed(sound: Array, rng: RNG) -> Array:
    """Bring quiet parts up to loud ones, by the level of blocks of 20 to 60 ms."""
    hop = int(rng.uniform(0.02, 0.06) * SAMPLE_RATE_HZ)
    blocks = np.resize(sound, (len(sound) // hop + 1) * hop).reshape(-1, hop)
    level = np.sqrt(np.square(blocks).mean(axis=1)) + 0.02 * rms(sound)
    level = np.convolve(level, np.ones(3) / 3, mode="same")
    gain = level ** -rng.uniform(0.3, 0.8)
    smooth = np.interp(np.arange(len(sound)), hop * (np.arange(len(gain)) + 0.5), gain)
    return np.asarray(sound * smooth, dtype=np.float32)


def reverberant(sound: Array, rng: RNG) -> Array:
    """Add a room: convolve with decaying noise after a short delay."""
    length_s = float(np.exp(rng.uniform(np.log(0.2), np.log(3.0))))
    count = int(length_s * SAMPLE_RATE_HZ)
    tail = rng.normal(0, 1, count) * np.exp(-6.9 * np.arange(count) / count)
    delay = int(rng.uniform(0, 0.04) * SAMPLE_RATE_HZ)
    tail = np.concatenate([np.zeros(delay), tail])
    size = len(sound) + len(tail)
    both = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)
    wet = both[: len(sound)].astype(np.float32)
    share = rng.uniform(0.1, 0.6)
    mixed = sound / rms(sound) + share / (1 - share) * wet / rms(wet)
    return np.asarray(mixed, dtype=np.float32)


def noisy(sound: Array, rng: RNG) -> Array:
    """Add hiss or the crackle of vinyl below the music."""
    hiss = rng.normal(0, 1, len(sound)).astype(np.float32)
    if rng.random() < 0.5:  # vinyl: few and sharp
        hiss *= rng.random(len(sound)) < 0.0005
    hiss = equalised(hiss, rng)
    level = 10 ** (rng.uniform(-38, -14) / 20)
    return np.asarray(sound / rms(sound) + level * hiss / rms(hiss), dtype=np.float32)


CHAIN = (
    (distorted, 0.12),
    (equalised, 0.6),
    (compressed, 0.4),
    (reverberant, 0.35),
    (noisy, 0.1),
    (band_limited, 0.15),
)


def disturbed(sound: Array, rng: RNG) -> Array:
    """Apply some of the effects, in the order in which a signal meets them."""
    for effect, chance in CHAIN:
        if rng.random() < chance:
            sound = effect(sound, rng)
    return sound
