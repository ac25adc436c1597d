"""An encoder made of a network over windows: batches, short sounds, precision, silence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdr_model.encoders.shared.windowed import BATCH_CPU, BATCH_GPU, WindowedEncoder
from gdr_model.encoders.shared.windows import (
    interpolated,
    repeat,
    repeat_and_pad,
    seconds,
    starts,
)
from gdr_model.errors import Cancelled
from gdr_model.types import LatentSpace

RATE_HZ, WINDOW = 100, 300


class Bands:
    """A network of one layer, in half precision, that counts its batches."""

    def __init__(self) -> None:
        self.basis = torch.randn(WINDOW, 5, generator=torch.Generator().manual_seed(0))
        self.batches: list[int] = []

    def __call__(self, windows: torch.Tensor) -> torch.Tensor:
        assert torch.is_inference_mode_enabled()
        self.batches.append(len(windows))
        return (windows @ self.basis).half()


def encoder(network: Bands, hop_s: float = 1.0, **options) -> WindowedEncoder:
    space = LatentSpace("bands", 5, RATE_HZ, 3.0, hop_s, "0" * 16)
    return WindowedEncoder(network, space, torch.device("cpu"), WINDOW, **options)


def sound(duration_s: float) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(round(duration_s * RATE_HZ)).astype(np.float32)


def test_latents_are_those_of_each_window_at_unit_length() -> None:
    network, samples = Bands(), sound(20)
    latents = encoder(network).encode(samples)
    assert latents.shape == (20, 5)
    assert latents.dtype == np.float32
    for second in (3, 10, 17):
        first = second * RATE_HZ - RATE_HZ
        wanted = samples[first : first + WINDOW] @ network.basis.numpy()
        np.testing.assert_allclose(latents[second], wanted / np.linalg.norm(wanted), atol=2e-3)


def test_batches_are_small_without_an_accelerator() -> None:
    network = Bands()
    encoder(network).encode(sound(20))
    assert set(network.batches[:-1]) == {BATCH_CPU}
    network = Bands()
    encoder(network, batch_cpu=3).encode(sound(20))
    assert set(network.batches[:-1]) == {3}
    gpu = WindowedEncoder(network, encoder(network).space, torch.device("cuda"), WINDOW)
    assert gpu.batch == BATCH_GPU


@pytest.mark.parametrize("fill", [repeat, repeat_and_pad])
@pytest.mark.parametrize("hop_s", [1.0, 2.0])
def test_every_second_of_a_short_sound_has_the_latent_of_one_window(fill, hop_s: float) -> None:
    network, samples = Bands(), sound(2.4)
    latents = encoder(network, hop_s, fill=fill).encode(samples)
    assert network.batches == [1]
    wanted = fill(samples, WINDOW) @ network.basis.numpy()
    np.testing.assert_allclose(latents, np.tile(wanted / np.linalg.norm(wanted), (2, 1)), atol=2e-3)


def test_whole_repetitions_end_in_silence_and_partial_ones_do_not() -> None:
    piece = np.arange(1, 5, dtype=np.float32)
    assert repeat(piece, 10).tolist() == [1, 2, 3, 4, 1, 2, 3, 4, 1, 2]
    assert repeat_and_pad(piece, 10).tolist() == [1, 2, 3, 4, 1, 2, 3, 4, 0, 0]
    for fill in (repeat, repeat_and_pad):
        assert not fill(np.zeros(0, np.float32), 10).any()


def test_silence_has_finite_latents() -> None:
    for duration_s in (0, 1, 8):
        assert np.isfinite(encoder(Bands()).encode(np.zeros(duration_s * RATE_HZ))).all()


def test_a_stop_is_noticed_before_the_next_batch() -> None:
    network = Bands()
    with pytest.raises(Cancelled):
        encoder(network).encode(sound(60), lambda: len(network.batches) == 2)
    assert len(network.batches) == 2


@pytest.mark.parametrize(("count", "expected"), [(0, 1), (49, 1), (151, 2), (149, 1), (350, 4)])
def test_a_sound_has_a_latent_for_each_second_that_is_at_least_half_there(
    count: int, expected: int
) -> None:
    assert seconds(count, RATE_HZ) == expected


def test_windows_never_leave_the_sound() -> None:
    for count in (WINDOW, WINDOW + 1, 1234):
        first = starts(np.arange(seconds(count, RATE_HZ)), count, RATE_HZ, WINDOW)
        assert first.min() >= 0
        assert first.max() <= count - WINDOW
        assert (np.diff(first) >= 0).all()


def test_latents_between_two_times_are_on_the_straight_line() -> None:
    ends = np.array([[0.0, 1.0], [4.0, -1.0], [5.0, 2.0]], np.float32)
    line = interpolated(ends, np.array([0, 4, 5]), 6)
    np.testing.assert_allclose(line[:, 0], [0, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(line[:, 1], [1, 0.5, 0, -0.5, -1, 2])
