"""The figures of a cloud on distributions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.errors import UsageError
from training import metrics
from training.evaluation.cloud.measured import LISTED, listed, mean_axes, mean_of, measure

WIDTHS = np.array([4.0, 3.0, 2.0, 1.0, 0.5])
AXES = np.linalg.qr(np.random.default_rng(7).standard_normal((5, 5))).Q


def sample(rng: np.random.Generator, count: int, widths: np.ndarray = WIDTHS) -> np.ndarray:
    """A Gaussian with these deviations along axes that are not the coordinates'."""
    return (rng.standard_normal((count, 5)) * widths) @ AXES.T


def test_a_cloud_of_the_very_distribution_is_as_wide_and_at_no_distance() -> None:
    rng = np.random.default_rng(0)
    real, drawn = sample(rng, 4000), sample(rng, 4000)
    assert metrics.spread_ratio(real, drawn) == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(metrics.axis_ratios(real, drawn, AXES), 1, atol=0.1)
    assert metrics.energy_distance(real, drawn) == pytest.approx(0, abs=0.01)


def test_a_cloud_of_twice_the_deviation_has_four_times_the_variance() -> None:
    rng = np.random.default_rng(1)
    real, drawn = sample(rng, 4000), sample(rng, 4000, 2 * WIDTHS)
    assert metrics.spread_ratio(real, drawn) == pytest.approx(4, rel=0.05)
    np.testing.assert_allclose(metrics.axis_ratios(real, drawn, AXES), 4, rtol=0.1)
    assert metrics.energy_distance(real, drawn) > 0.3


def test_a_cloud_too_narrow_along_one_axis_shows_it_there_alone() -> None:
    rng = np.random.default_rng(2)
    flat = WIDTHS * [1, 0.1, 1, 1, 1]
    ratios = metrics.axis_ratios(sample(rng, 4000), sample(rng, 4000, flat), AXES)
    np.testing.assert_allclose(ratios, [1, 0.01, 1, 1, 1], rtol=0.15)


def test_principal_axes_are_those_of_the_widest_deviations() -> None:
    found = metrics.principal_axes(sample(np.random.default_rng(6), 20_000), 3)
    np.testing.assert_allclose(np.abs((found * AXES[:, :3]).sum(axis=0)), 1, atol=0.01)


def test_the_energy_distance_of_points_on_a_line_follows_from_its_definition() -> None:
    # Between: 1 and 3 twice; within: 0 and 2.
    real, drawn = np.array([[0.0], [0.0]]), np.array([[1.0], [3.0]])
    assert metrics.energy_distance(real, drawn) == pytest.approx(2 * 2 - 0 - 2)
    assert metrics.energy_distance(real + 1e6, drawn + 1e6) == pytest.approx(2)


def test_the_energy_distance_grows_as_a_cloud_moves_away() -> None:
    rng = np.random.default_rng(3)
    real, drawn = sample(rng, 500), sample(rng, 500)
    away = [metrics.energy_distance(real, drawn + shift) for shift in (0, 1, 2, 4)]
    assert away == sorted(away)


def test_nearest_counts_different_tracks() -> None:
    library = np.array([[0.0, 0], [1, 0], [0, 1], [9, 9]])
    drawn = np.array([[0.1, 0], [0, 0.2], [0.9, 0], [1.1, 0.1]])
    assert metrics.nearest(library, drawn) == 2
    assert metrics.nearest(library, library) == 4


@pytest.mark.parametrize(
    ("figure", "problem"),
    [
        (lambda: metrics.spread_ratio(np.ones((3, 2)), np.zeros((3, 2))), "does not vary"),
        (lambda: metrics.principal_axes(np.eye(3), 3), "varies along 2 axes; 3"),
        (lambda: metrics.principal_axes(np.eye(3), 0), "0 are asked for"),
        (lambda: metrics.axis_ratios(np.ones((3, 2)), np.eye(2), np.eye(2)), "along every axis"),
        (lambda: metrics.energy_distance(np.ones((1, 2)), np.ones((3, 2))), "1 rows"),
        (lambda: metrics.spread_ratio(np.eye(2), np.eye(3)), "2 wide and the drawn set 3"),
        (lambda: metrics.nearest(np.ones((2, 2)), np.full((2, 2), np.nan)), "not finite"),
    ],
)
def test_what_is_no_cloud_is_refused(figure, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        figure()


def on_a_sphere(rng: np.random.Generator, centre: np.ndarray, count: int) -> np.ndarray:
    rows = centre + 0.3 * rng.standard_normal((count, len(centre)))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_draws_of_what_fits_measure_one_and_narrower_ones_less() -> None:
    rng = np.random.default_rng(4)
    centre, other = np.eye(16)[0], np.eye(16)[1]
    tracks = np.concatenate([on_a_sphere(rng, centre, 200), on_a_sphere(rng, other, 200)])
    right = np.arange(400) < 200
    axes = metrics.principal_axes(tracks, 12)
    calibrated = measure(on_a_sphere(rng, centre, 64), tracks, right, axes, rng)
    point = tracks[:1] + 0.05 * on_a_sphere(rng, centre, 64)
    narrow = measure(point, tracks, right, axes, rng)
    assert calibrated.spread == pytest.approx(1, abs=0.2)
    assert calibrated.energy == pytest.approx(0, abs=0.05)
    assert calibrated.nearest == pytest.approx(1, abs=0.3)
    assert calibrated.recall > 0.7
    assert narrow.spread < 0.1
    assert narrow.nearest < 0.5
    assert narrow.off > 3 > calibrated.off
    spread, off, *_ = mean_of([calibrated, narrow])
    assert spread == pytest.approx((calibrated.spread * narrow.spread) ** 0.5)
    assert off == pytest.approx((calibrated.off * narrow.off) ** 0.5)
    assert (mean_axes([calibrated, narrow]) < 1).all()


def test_lists_of_one_point_are_the_same_and_lists_of_two_regions_are_not() -> None:
    rng = np.random.default_rng(5)
    first, second = np.eye(16, dtype=np.float32)[:2]
    tracks = np.concatenate([on_a_sphere(rng, first, LISTED), on_a_sphere(rng, second, LISTED)])
    right = np.arange(2 * LISTED) < LISTED
    same, apart = np.stack([first, first]), np.stack([first, second])
    np.testing.assert_allclose(listed(same, first, 0.0, tracks, right), [1, 0], atol=0.05)
    precision, new = listed(apart, first, 0.0, tracks, right)
    assert precision == pytest.approx(0.5, abs=0.05)
    assert new > 0.9
    # Leaning on the tower alone, every list is the tower's.
    np.testing.assert_allclose(listed(apart, first, 1.0, tracks, right), [1, 0], atol=0.05)
