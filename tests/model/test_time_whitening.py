"""Whitening along time: what it promises of variances, noise and time-means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gdr_model.diffusion.time_whitening import basis, deviations, evened
from gdr_model.errors import ModelError
from gdr_model.models import checkpoint
from tests.model.test_checkpoint import save

T, D = 16, 3


def alike(count: int, seed: int = 0) -> np.ndarray:
    """Passages (count, T, D) whose seconds are alike: a level each, and little variation."""
    rng = np.random.default_rng(seed)
    level = rng.standard_normal((count, 1, D))
    slow = rng.standard_normal((count, 4, D)).repeat(4, axis=1)
    fast = rng.standard_normal((count, T, D))
    return (level + 0.3 * slow + 0.1 * fast).astype(np.float32)


def test_the_basis_is_orthonormal_and_its_first_row_the_mean() -> None:
    c = basis(T)
    np.testing.assert_allclose(c @ c.T, np.eye(T), atol=1e-6)
    np.testing.assert_allclose(c[0], 1 / np.sqrt(T), atol=1e-6)


def test_every_coefficient_of_unseen_passages_gets_unit_variance() -> None:
    y = evened(alike(4000, seed=1), deviations(alike(4000)))
    np.testing.assert_allclose((basis(T) @ y).std(0), 1, atol=0.08)


def test_it_moves_the_mean_by_one_factor_and_nothing_when_it_is_one() -> None:
    x, s = alike(5), deviations(alike(100))
    np.testing.assert_allclose(evened(x, s).mean(1), x.mean(1) / s[0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(evened(x, np.ones((T, D), np.float32)), x, atol=1e-5)
    np.testing.assert_allclose(evened(x, s)[0], evened(x[0], s), atol=1e-6)


def test_a_direction_that_never_moves_is_not_blown_up() -> None:
    still = np.ones((10, T, D), np.float32)
    assert float(np.abs(evened(still, deviations(still))).max()) < 1.01
    assert deviations(still).min() > 0


def test_a_model_takes_passages_in_and_gives_their_means_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    along = (0.5 + rng.random((64, 8))).astype(np.float32)
    save(tmp_path / "small", latent_along=torch.from_numpy(along), latent_sd=torch.full((8,), 2.0))
    model = checkpoint.load(str(tmp_path / "small"), "cpu")
    raw = rng.standard_normal((2, 64, 8)).astype(np.float32)
    x = model.passages(raw)
    np.testing.assert_allclose(x.numpy(), evened(raw / 2, along), atol=0.01)
    np.testing.assert_allclose(x.mean(1).numpy(), model.means(raw.mean(1)).numpy(), atol=1e-5)
    np.testing.assert_allclose(model.drawn(x), raw.mean(1), atol=1e-5)


def test_a_model_without_it_standardises_second_by_second(tmp_path: Path) -> None:
    save(tmp_path / "small", latent_sd=torch.full((8,), 2.0))
    model = checkpoint.load(str(tmp_path / "small"), "cpu")
    raw = np.random.default_rng(0).standard_normal((64, 8)).astype(np.float32)
    np.testing.assert_allclose(model.passages(raw).numpy(), raw / 2, atol=1e-6)


def test_deviations_of_another_shape_are_refused(tmp_path: Path) -> None:

    save(tmp_path / "small", latent_along=torch.ones(32, 8))
    with pytest.raises(ModelError, match="latent_along"):
        checkpoint.load(str(tmp_path / "small"), "cpu")
