"""Mel spectrograms against those of transformers, which computes them with numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

from gdr_model.encoders.builtin import audio as builtin
from gdr_model.encoders.mule import frontend
from gdr_model.encoders.muscall.net import FLOOR_DB, MuscallConfig, decibel_mel
from gdr_model.encoders.shared.mel import Mel

MEL = Mel(16_000, fft=512, window=400, hop=160, bands=40, low_hz=20, high_hz=7600)


def sound(count: int = 16_000, rows: int = 2) -> torch.Tensor:
    return 0.1 * torch.randn(rows, count, generator=torch.Generator().manual_seed(0))


def theirs(mel: Mel) -> np.ndarray:
    return mel_filter_bank(
        num_frequency_bins=mel.fft // 2 + 1,
        num_mel_filters=mel.bands,
        min_frequency=mel.low_hz,
        max_frequency=mel.high_hz,
        sampling_rate=mel.sample_rate_hz,
        norm=None,
        mel_scale="htk",
    )


@pytest.mark.parametrize("mel", [MEL, frontend.MEL, replace(MEL, fft=1024, bands=24)])
def test_triangles_are_those_of_transformers(mel: Mel) -> None:
    np.testing.assert_allclose(mel.triangles(torch.float64), theirs(mel), atol=1e-9)
    np.testing.assert_allclose(mel.triangles(), theirs(mel), atol=1e-4)
    assert mel.triangles().dtype == torch.float32


def test_the_builtin_filters_are_those_of_transformers() -> None:
    low, high = builtin.MEL_RANGE_HZ
    mel = Mel(16_000, builtin.FFT, builtin.FFT, builtin.HOP, builtin.MELS, low, high)
    np.testing.assert_allclose(builtin.mel_filters(), theirs(mel), atol=1e-6)


def test_bands_above_half_the_sample_rate_are_empty() -> None:
    mel = MuscallConfig().mel
    reached = mel.triangles().sum(0) > 0
    assert bool(reached[:100].all())
    assert not bool(reached[-5:].any())


@pytest.mark.parametrize("centre", [True, False])
def test_power_is_that_of_transformers(centre: bool) -> None:
    ours = MEL.power(sound(), MEL.triangles(), centre=centre)
    for row, samples in enumerate(sound().numpy()):
        wanted = spectrogram(
            samples,
            window=np.pad(window_function(400, "hann"), 56),
            frame_length=512,
            hop_length=160,
            power=2.0,
            center=centre,
            pad_mode="reflect",
            mel_filters=theirs(MEL),
            mel_floor=0,
        )
        np.testing.assert_allclose(ours[row], wanted, rtol=1e-3, atol=1e-5)


def test_a_frame_begins_every_hop() -> None:
    assert MEL.power(sound(1600), MEL.triangles()).shape == (2, 40, 11)
    assert MEL.power(sound(1600), MEL.triangles(), centre=False).shape == (2, 40, 7)


def test_twice_the_amplitude_is_four_times_the_power_and_six_decibels() -> None:
    one, two = (MEL.power(factor * sound(), MEL.triangles()) for factor in (1, 2))
    torch.testing.assert_close(two, 4 * one)
    one, two = (frontend.decibel_mel(factor * sound()) for factor in (1, 2))
    torch.testing.assert_close(two - one, torch.full_like(one, 20 * np.log10(2)), atol=1e-3, rtol=0)


def test_published_filters_have_length_one_and_the_triangles_shape() -> None:
    filters = frontend.published_filters()
    torch.testing.assert_close(filters.norm(dim=0), torch.ones(96, dtype=torch.float64))
    triangles = frontend.MEL.triangles(torch.float64)
    cosines = torch.nn.functional.cosine_similarity(filters, triangles, dim=0)
    torch.testing.assert_close(cosines, torch.ones(96, dtype=torch.float64))


def test_a_standardised_slice_has_mean_zero_and_deviation_one_unless_it_is_silent() -> None:
    slices = torch.stack([torch.randn(96, 300) * 3 + 1, torch.full((96, 300), 0.2)])
    slices[1, 0, 0] += 1e-4
    standard = frontend.standardise(slices)
    assert float(standard[0].mean()) == pytest.approx(0, abs=1e-5)
    assert float(standard[0].std(correction=0)) == pytest.approx(1, abs=1e-5)
    assert float(standard[1].abs().max()) < 0.02


def test_the_floor_of_muscall_follows_the_loudest_band_of_each_window() -> None:
    mel = MuscallConfig().mel
    # Loud enough for the floor to be above the smallest power that is distinguished from zero.
    loud = 1e4 * sound(rows=1)
    level = decibel_mel(torch.cat([loud, loud / 100]), mel)
    spans = level.amax((1, 2)) - level.amin((1, 2))
    torch.testing.assert_close(spans, torch.full((2,), FLOOR_DB), atol=1e-3, rtol=0)
    assert float(level[0].max() - level[1].max()) == pytest.approx(40, abs=0.01)


def test_windows_are_pooled_as_a_loop_over_seconds_would() -> None:
    frames = torch.randn(2, 3, 6 * builtin.POOLED_PER_S)
    pooled = builtin.pool_windows(frames)
    width, hop = builtin.WINDOW_S * builtin.POOLED_PER_S, builtin.POOLED_PER_S
    assert pooled.shape == (2, 6, 6)
    for second in range(6):
        first = second * hop - (width - hop) // 2
        window = frames[..., max(0, first) : first + width]
        wanted = torch.cat([window.mean(-1), window.amax(-1)], dim=1)
        torch.testing.assert_close(pooled[:, second], wanted, rtol=1e-4, atol=1e-5)
