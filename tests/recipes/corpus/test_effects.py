"""Effects: sound stays sound, the same for the same seed, and changes as its name says."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.types import Array
from recipes.builtin.corpus.effects import (
    CHAIN,
    band_limited,
    compressed,
    disturbed,
    reverberant,
    rms,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def sound() -> Array:
    """A loud second of noise, a quiet one, and silence."""
    noise = rng().normal(0, 0.1, 3 * SAMPLE_RATE_HZ).astype(np.float32)
    noise[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ] *= 0.1
    noise[2 * SAMPLE_RATE_HZ :] = 0
    return noise


def second(sound: Array, number: int) -> Array:
    return sound[number * SAMPLE_RATE_HZ : (number + 1) * SAMPLE_RATE_HZ]


@pytest.mark.parametrize("effect", [effect for effect, _ in CHAIN])
def test_sound_stays_sound(effect: object, sound: Array) -> None:
    assert callable(effect)
    for seed in range(5):
        changed = effect(sound, rng(seed))
        assert changed.shape == sound.shape
        assert changed.dtype == np.float32
        assert np.isfinite(changed).all()
        assert not np.allclose(changed / rms(changed), sound / rms(sound))


def test_silence_stays_finite() -> None:
    silent = np.zeros(SAMPLE_RATE_HZ, np.float32)
    for seed in range(20):
        assert np.isfinite(disturbed(silent, rng(seed))).all()


def test_the_same_seed_disturbs_alike(sound: Array) -> None:
    assert np.array_equal(disturbed(sound, rng(3)), disturbed(sound, rng(3)))


def test_compression_brings_quiet_and_loud_together(sound: Array) -> None:
    squeezed = compressed(sound, rng())
    before = rms(second(sound, 0)) / rms(second(sound, 1))
    assert rms(second(squeezed, 0)) / rms(second(squeezed, 1)) < 0.7 * before


def test_a_room_goes_on_sounding(sound: Array) -> None:
    assert rms(second(reverberant(sound, rng()), 2)) > 1e-4


def test_a_band_limit_takes_the_top(sound: Array) -> None:
    spectrum = np.abs(np.fft.rfft(band_limited(sound, rng())))
    top = spectrum[int(0.95 * len(spectrum)) :].mean()
    assert top < 0.1 * spectrum[len(spectrum) // 20 : len(spectrum) // 10].mean()
