"""Effects: known filters on known tones, the same for the same seed, and sound stays sound."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.types import Array
from recipes.builtin.corpus.effects import (
    CHAIN,
    band_limited,
    compressed,
    distorted,
    disturbed,
    equalised,
    filtered,
    noisy,
    reverberant,
    rms,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def tone(hz: float, seconds: float = 1.0) -> Array:
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.2 * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def amplitude(sound: Array, hz: float) -> float:
    """Amplitude of one frequency, by projection onto its sine and cosine."""
    phase = 2 * np.pi * hz * np.arange(len(sound)) / SAMPLE_RATE_HZ
    return float(2 * abs(np.mean(sound * np.exp(-1j * phase))))


def gain_db(effect: object, hz: float, seed: int) -> float:
    assert callable(effect)
    before = tone(hz)
    return float(20 * np.log10(amplitude(effect(before, rng(seed)), hz) / amplitude(before, hz)))


@pytest.fixture
def sound() -> Array:
    """A loud second of noise, a quiet one, and silence."""
    noise = rng().normal(0, 0.1, 3 * SAMPLE_RATE_HZ).astype(np.float32)
    noise[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ] *= 0.1
    noise[2 * SAMPLE_RATE_HZ :] = 0
    return noise


def second(sound: Array, number: int) -> Array:
    return sound[number * SAMPLE_RATE_HZ : (number + 1) * SAMPLE_RATE_HZ]


# Every effect


@pytest.mark.parametrize("effect", [effect for effect, _ in CHAIN])
def test_sound_stays_sound(effect: object, sound: Array) -> None:
    assert callable(effect)
    for seed in range(5):
        changed = effect(sound, rng(seed))
        assert changed.shape == sound.shape
        assert changed.dtype == np.float32
        assert np.isfinite(changed).all()
        assert not np.allclose(changed / rms(changed), sound / rms(sound))


@pytest.mark.parametrize("effect", [effect for effect, _ in CHAIN])
def test_an_effect_leaves_its_input_alone_and_repeats_by_seed(effect: object, sound: Array) -> None:
    assert callable(effect)
    before = sound.copy()
    np.testing.assert_array_equal(effect(sound, rng(1)), effect(sound, rng(1)))
    np.testing.assert_array_equal(sound, before)


def test_silence_stays_finite() -> None:
    silent = np.zeros(SAMPLE_RATE_HZ, np.float32)
    for seed in range(20):
        assert np.isfinite(disturbed(silent, rng(seed))).all()


def test_the_same_seed_disturbs_alike(sound: Array) -> None:
    assert np.array_equal(disturbed(sound, rng(3)), disturbed(sound, rng(3)))


def test_a_sound_is_left_as_it_is_only_when_no_effect_is_chosen(sound: Array) -> None:
    short = sound[:2000]
    untouched = sum(np.array_equal(disturbed(short, rng(seed)), short) for seed in range(200))
    expected = np.prod([1 - chance for _, chance in CHAIN])
    assert untouched / 200 == pytest.approx(expected, abs=0.07)


def test_rms_is_that_of_a_sine_and_never_zero() -> None:
    assert rms(tone(440)) == pytest.approx(0.2 / np.sqrt(2), rel=1e-4)
    assert rms(np.zeros(10, np.float32)) > 0


# Filters


@pytest.mark.parametrize(("hz", "wanted_db"), [(200, 0.0), (1000, -6.0), (4000, -20.0)])
def test_a_filter_applies_its_gain_to_each_frequency(hz: float, wanted_db: float) -> None:
    def curve(frequencies: Array) -> Array:
        return np.interp(frequencies, [500, 1000, 2000], [0.0, -6.0, -20.0])

    changed = filtered(tone(hz), curve)
    measured = 20 * np.log10(amplitude(changed, hz) / amplitude(tone(hz), hz))
    assert measured == pytest.approx(wanted_db, abs=0.05)


def test_a_flat_filter_changes_nothing() -> None:
    np.testing.assert_allclose(filtered(tone(440), np.zeros_like), tone(440), atol=1e-6)


def test_an_equaliser_is_smooth_and_of_a_few_decibels() -> None:
    for seed in range(10):
        # Straight lines over the octaves: half way between two points is their mean.
        low, middle, high = (gain_db(equalised, hz, seed) for hz in (160, 320, 640))
        assert middle == pytest.approx((low + high) / 2, abs=0.1)
        assert abs(middle) < 16


def test_a_band_limit_takes_the_top_and_leaves_the_middle() -> None:
    with_bottom = 0
    for seed in range(40):
        assert gain_db(band_limited, 7900, seed) < -5
        assert gain_db(band_limited, 1000, seed) == pytest.approx(0, abs=0.1)
        with_bottom += gain_db(band_limited, 60, seed) < -10
    assert 3 <= with_bottom <= 20  # one in four loses the bottom, too


# Dynamics, rooms, noise


def test_distortion_adds_odd_harmonics_and_clips() -> None:
    changed = distorted(tone(500), rng())
    assert amplitude(changed, 1500) > 0.05 * amplitude(changed, 500)
    assert amplitude(changed, 1000) < 0.01 * amplitude(changed, 500)
    assert np.abs(changed).max() <= 1


def test_compression_brings_quiet_and_loud_together(sound: Array) -> None:
    before = rms(second(sound, 0)) / rms(second(sound, 1))
    for seed in range(5):
        squeezed = compressed(sound, rng(seed))
        assert rms(second(squeezed, 0)) / rms(second(squeezed, 1)) < 0.7 * before


def test_a_room_rings_on_and_dies_away(sound: Array) -> None:
    for seed in range(5):
        tail = second(reverberant(sound, rng(seed)), 2)
        assert rms(tail[:4000]) > 1e-5
        assert rms(tail[:4000]) > rms(tail[-4000:])


def test_the_reverberation_of_a_click_lasts_up_to_three_seconds() -> None:
    click = np.zeros(5 * SAMPLE_RATE_HZ, np.float32)
    click[0] = 1.0
    lengths = []
    for seed in range(15):
        ringing = np.flatnonzero(np.abs(reverberant(click, rng(seed))) > 1e-6 * len(click))
        lengths.append(ringing[-1] / SAMPLE_RATE_HZ)
    assert max(lengths) < 3.1
    assert max(lengths) > 3 * min(lengths)  # small rooms and large ones


def test_noise_lies_14_to_38_decibels_below_the_music() -> None:
    music = tone(440)
    for seed in range(20):
        hiss = noisy(music, rng(seed)) - music / rms(music)
        assert 10 ** (-39 / 20) < rms(hiss) < 10 ** (-13 / 20)


def test_half_of_the_noise_is_crackle() -> None:
    crackling = 0
    for seed in range(40):
        hiss = np.abs(noisy(tone(440), rng(seed)) - tone(440) / rms(tone(440)))
        crackling += np.median(hiss) < 0.1 * hiss.max() * 0.1
    assert 10 <= crackling <= 30
