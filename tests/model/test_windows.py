"""Windows: where they start, what they contain at the edges, and how few are encoded."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.encoders.shared.windows import encode_windows
from gdr_model.errors import Cancelled

RATE_HZ = 10


class Recorder:
    """Encodes a window as (first sample, last sample, 1), and counts."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.batches: list[int] = []

    def __call__(self, stretch: np.ndarray, starts: np.ndarray) -> np.ndarray:
        self.batches.append(len(starts))
        assert len(stretch) == starts[-1] + self.length, "no more than the windows cover"
        ends = stretch[starts + self.length - 1]
        return np.stack([stretch[starts], ends, np.ones(len(starts))], axis=1)


def read(count: int, window: int, **options) -> tuple[np.ndarray, list[int]]:
    """(first, last) sample of every second's window in the ramp 0, 1, 2, …, and the batches."""
    recorder = Recorder(window + 2 * options.get("margin", 0))
    ramp = np.arange(count, dtype=np.float32)
    latents = encode_windows(ramp, RATE_HZ, window, recorder, **{"batch": 4, **options})
    np.testing.assert_allclose(np.linalg.norm(latents, axis=1), 1, rtol=1e-6)
    return latents[:, :2] / latents[:, 2:], recorder.batches


def test_windows_are_centred_on_their_second_and_stay_inside() -> None:
    seen, batches = read(60, 30)
    firsts = [0, 0, 10, 20, 30, 30]
    np.testing.assert_allclose(seen, [[first, first + 29] for first in firsts], rtol=1e-5)
    assert batches == [4]  # windows that two seconds share are encoded once


@pytest.mark.parametrize(
    ("count", "latents"), [(0, 1), (4, 1), (14, 1), (26, 3), (94, 9), (96, 10)]
)
def test_there_is_one_latent_a_second_and_at_least_one(count: int, latents: int) -> None:
    assert len(read(count, 30)[0]) == latents


def test_a_short_sound_is_repeated_until_the_window_is_full() -> None:
    seen, _ = read(14, 30)
    np.testing.assert_allclose(seen, [[0, 29 % 14]], rtol=1e-5)


def test_batches_are_no_larger_than_asked() -> None:
    assert read(200, 30, batch=7)[1] == [7, 7, 4]


def test_a_coarser_hop_encodes_less_and_draws_straight_lines_between() -> None:
    fine, _ = read(100, 10)
    coarse, batches = read(100, 10, hop_s=4)
    assert sum(batches) == 4  # seconds 0, 4, 8 and the last
    np.testing.assert_allclose(coarse[[0, 4, 8, 9]], fine[[0, 4, 8, 9]], rtol=1e-5)
    assert ((coarse[1:4] > fine[0]) & (coarse[1:4] < fine[4])).all()


def test_a_margin_adds_the_samples_around_a_window_and_mirrors_the_ends() -> None:
    seen, _ = read(60, 30, margin=2)
    edges = [[2, 31], [2, 31], [8, 41], [18, 51], [28, 57], [28, 57]]
    np.testing.assert_allclose(seen, edges, rtol=1e-5)


def test_encoding_stops_between_batches() -> None:
    recorder = Recorder(10)
    with pytest.raises(Cancelled):
        encode_windows(
            np.zeros(500, np.float32),
            RATE_HZ,
            10,
            recorder,
            batch=4,
            cancelled=lambda: len(recorder.batches) == 2,
        )
    assert recorder.batches == [4, 4]
