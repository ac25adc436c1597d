"""The noise schedule: levels, grids, and the arithmetic between x0, eps, v and x."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from upstream import UPSTREAM

from gdr_model.diffusion.schedule import Schedule

SCHEDULES = [Schedule(), Schedule(shift=6.0), Schedule(times=200), UPSTREAM]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_signal_falls_and_noise_rises_over_the_times(schedule: Schedule) -> None:
    a = schedule.a[:-1]
    assert a.shape == (schedule.times,)
    assert bool((a.diff() < 0).all())
    assert bool(((a > 0) & (a < 1)).all())


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_levels_are_those_of_single_times(schedule: Schedule) -> None:
    times = [-1, 0, 1, schedule.times // 2, schedule.times - 1]
    signal, noise = schedule.levels(torch.tensor(times))
    assert signal.shape == (5, 1, 1)
    for row, t in enumerate(times):
        assert (float(signal[row]), float(noise[row])) == pytest.approx(schedule.level(t), rel=1e-6)
        assert float(signal[row]) ** 2 + float(noise[row]) ** 2 == pytest.approx(1, rel=1e-6)


def test_a_walk_ends_at_clean_data_unless_it_is_upstreams() -> None:
    assert Schedule().level(-1) == (1.0, 0.0)
    assert UPSTREAM.level(-1) == UPSTREAM.level(0)


def test_betas_are_the_papers() -> None:
    """Nichol & Dhariwal 2021, equation 17; Rombach et al. 2022, equally spaced roots."""
    cosine = 1 - Schedule().a[1:-1] / Schedule().a[:-2]
    bar = [math.cos((i / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(1, 1001)]
    wanted = torch.tensor([1 - b / a for a, b in pairwise(bar)])
    torch.testing.assert_close(cosine[:990].float(), wanted[:990], rtol=1e-4, atol=1e-6)
    linear = 1 - UPSTREAM.a[1:-1] / UPSTREAM.a[:-2]
    roots = linear.sqrt()
    assert float(1 - UPSTREAM.a[0]) == pytest.approx(0.0015)
    assert float(linear[-1]) == pytest.approx(0.0195)
    torch.testing.assert_close(roots.diff(), roots.diff().mean().expand(998), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 7, 12, 50])
def test_a_grid_falls_from_noise_to_the_end(schedule: Schedule, steps: int) -> None:
    grid = schedule.grid(steps)
    assert grid[-1] == -1
    assert grid == sorted(set(grid), reverse=True)
    assert len(grid) == steps + 1
    if schedule.spacing == "trailing":
        assert grid[0] == schedule.times - 1
        assert grid[-2] >= 1, "eps is indistinguishable from x at time 0"


def test_more_steps_than_times_visit_every_time_once() -> None:
    grid = Schedule(times=20).grid(100)
    assert grid == [*range(19, 0, -1), -1]


def test_a_shift_of_one_changes_nothing() -> None:
    assert Schedule(shift=1.0).grid(12) == Schedule().grid(12)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_noised_unit_data_keep_unit_variance(schedule: Schedule) -> None:
    generator = torch.Generator().manual_seed(0)
    x0, eps = (torch.randn(3, 64, 64, generator=generator) for _ in range(2))
    x = schedule.add_noise(x0, eps, torch.tensor([1, schedule.times // 2, schedule.times - 1]))
    torch.testing.assert_close(x.std((1, 2)), torch.ones(3), rtol=0.05, atol=0.05)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("t", [3, 100, 180])
def test_data_and_noise_come_back_from_state_and_velocity(schedule: Schedule, t: int) -> None:
    generator = torch.Generator().manual_seed(1)
    x0, eps = (torch.randn(2, 4, 3, generator=generator) for _ in range(2))
    times = torch.tensor([t, t])
    x, v = schedule.add_noise(x0, eps, times), schedule.velocity(x0, eps, times)
    torch.testing.assert_close(schedule.x0_eps(x, v, t), (x0, eps), rtol=1e-4, atol=1e-5)
