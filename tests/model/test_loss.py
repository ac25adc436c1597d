"""Training losses against their definitions."""

from __future__ import annotations

import math
import random

import pytest
import torch

from gdr_model.diffusion import loss
from gdr_model.diffusion.prediction import PREDICTIONS, target
from gdr_model.diffusion.schedule import Schedule

SCHEDULE = Schedule()


@pytest.fixture
def batch() -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    x0, eps = torch.randn(2, 16, 4, 8)
    return x0, eps, torch.randint(50, 900, (16,))


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_the_right_answer_costs_nothing(batch, prediction: str) -> None:
    x0, eps, t = batch
    right = target(x0, eps, t, SCHEDULE, prediction)
    assert float(loss.denoising(right, x0, eps, t, SCHEDULE, prediction)) == 0
    assert float(loss.denoising(right + 1, x0, eps, t, SCHEDULE, prediction)) > 0


def test_without_weighting_it_is_the_mean_squared_error(batch) -> None:
    x0, eps, t = batch
    error = loss.denoising(torch.zeros_like(x0), x0, eps, t, SCHEDULE, "x0", gamma=None)
    torch.testing.assert_close(error, x0.square().mean())


def test_min_snr_weighs_the_same_error_of_clean_data_equally_in_every_prediction(batch) -> None:
    """A network off by d in x0 must pay the same, however it was asked."""
    x0, eps, t = batch
    x = SCHEDULE.add_noise(x0, eps, t)
    signal, noise = SCHEDULE.levels(t)
    off = x0 + 0.1 * torch.randn_like(x0)
    off_eps = (x - signal * off) / noise
    costs = [
        float(
            loss.denoising(
                target(off, off_eps, t, SCHEDULE, prediction), x0, eps, t, SCHEDULE, prediction
            )
        )
        for prediction in PREDICTIONS
    ]
    assert costs == pytest.approx([costs[0]] * 3, rel=1e-3)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_min_snr_is_finite_and_capped_at_every_time(prediction: str) -> None:
    weights = loss.min_snr(torch.arange(1, 1000), SCHEDULE, prediction)
    assert torch.isfinite(weights).all()
    assert float(weights.max()) <= loss.GAMMA + 1e-4


def test_contrast_is_least_where_each_estimate_is_its_own_target(batch) -> None:
    x0, _, _ = batch
    means = x0.mean(1)
    assert float(loss.nt_xent(means, means)) < 0.2
    assert float(loss.nt_xent(means.roll(1, 0), means)) > 2


def test_contrast_of_equal_estimates_is_chance(batch) -> None:
    x0, _, _ = batch
    same = torch.ones_like(x0.mean(1))
    error = loss.nt_xent(same, same)
    assert float(error) == pytest.approx(math.log(len(x0)), rel=1e-4)


def test_consistency_is_zero_for_the_exact_flow_to_a_point(normal) -> None:
    """Where all data are one point, every state of every path ends there."""
    oracle = normal(0.4, 0.0)
    x0 = torch.full((3, 4, 2), 0.4)
    t, to = torch.tensor([999, 500, 80]), torch.tensor([700, 200, -1])
    error = loss.consistency(
        oracle.at, oracle.at, oracle.at, x0, torch.randn_like(x0), t, to, SCHEDULE
    )
    assert abs(float(error)) < 1e-3


def test_short_prompts_are_sometimes_repeated() -> None:
    rng = random.Random(0)
    prompts = [loss.repeat_short("warm piano", rng) for _ in range(2000)]
    repeated = [text for text in prompts if text != "warm piano"]
    assert len(repeated) / 2000 == pytest.approx(0.3, abs=0.03)
    assert set(repeated) == {" ".join(["warm piano"] * 7)}
    assert loss.repeat_short("x" * 77, rng, chance=1) == "x" * 77
    assert loss.repeat_short("", rng, chance=1) == ""
