"""Samplers against the closed form of normal data, and against diffusers."""

from __future__ import annotations

import sys
from functools import partial
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from gdr_model.diffusion import loss, sampling
from gdr_model.diffusion.denoisers.transformer import time_features
from gdr_model.diffusion.guidance import Velocity
from gdr_model.diffusion.schedule import Schedule
from gdr_model.diffusion.schedulers import SCHEDULERS, walk
from gdr_model.errors import Cancelled, Hint, ModelError
from gdr_model.steering import Sampler

SCHEDULE = Schedule()
FINE = Schedule(times=20_000)
"""So fine that rounding a grid to whole times does not show in an order of convergence."""
SAMPLERS = [
    sampling.ddim,
    partial(sampling.ddim, eta=1.0, seed=3),
    sampling.dpm_solver_pp,
    partial(sampling.consistency, seed=3),
]


def noise(draws: int = 4) -> Tensor:
    return sampling.noise(draws, 32, 32, seed=7).double()


@pytest.mark.parametrize(
    ("sampler", "least", "most"), [(sampling.ddim, 1.9, 2.1), (sampling.dpm_solver_pp, 2.8, 4.2)]
)
def test_the_order_of_convergence(normal, sampler, least: float, most: float) -> None:
    """Twice the steps halve the error of a first-order sampler and quarter a second's."""
    oracle = normal(0.3, 2.0, FINE)
    top, bottom, z = 18_000, 2_000, noise(1)
    errors = []
    for steps in (10, 20, 40, 80):
        grid = [round(top + (bottom - top) * i / steps) for i in range(steps + 1)]
        end = sampler(oracle, oracle.on_path(z, top), grid, FINE)
        errors.append(float((end - oracle.on_path(z, bottom)).std()))
    ratios = [coarse / fine for coarse, fine in pairwise(errors)]
    assert all(least < ratio < most for ratio in ratios), ratios
    assert ratios == sorted(ratios), "the order is approached from below"


def test_the_second_order_is_worth_it_on_the_default_grid(normal) -> None:
    oracle, z = normal(0.3, 0.6), noise(1)
    first, second = (
        float((sampler(oracle, z, SCHEDULE.grid(12), SCHEDULE) - oracle.on_path(z, -1)).std())
        for sampler in (sampling.ddim, sampling.dpm_solver_pp)
    )
    assert second < first / 5


def test_dpm_solver_is_that_of_diffusers(normal) -> None:
    from diffusers import DPMSolverMultistepScheduler

    theirs = DPMSolverMultistepScheduler(
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        algorithm_type="dpmsolver++",
        solver_order=2,
        final_sigmas_type="zero",
    )
    theirs.set_timesteps(10)
    oracle, x = normal(0.3, 0.6), noise(1)
    z = x
    for t in theirs.timesteps:
        x = theirs.step(oracle(x, int(t)), t, x).prev_sample
    ours = sampling.dpm_solver_pp(oracle, z, SCHEDULE.grid(10), SCHEDULE)
    torch.testing.assert_close(ours, x, rtol=1e-3, atol=1e-3)


def test_ddim_with_noise_is_that_of_diffusers(normal) -> None:
    from diffusers import DDIMScheduler

    theirs = DDIMScheduler(
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
    )
    theirs.set_timesteps(10)
    oracle, x = normal(0.3, 0.6), noise(2)
    z = x
    for step, t in enumerate(theirs.timesteps, start=1):
        fresh = sampling.noise(2, 32, 32, seed=5, step=step).double()
        v = oracle(x, int(t))
        x = theirs.step(v, int(t), x, eta=0.7, variance_noise=fresh).prev_sample
    ours = sampling.ddim(oracle, z, SCHEDULE.grid(10), SCHEDULE, eta=0.7, seed=5)
    torch.testing.assert_close(ours, x, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_draws_have_the_deviation_of_the_data_whatever_eta(normal, eta: float) -> None:
    x = sampling.ddim(normal(0.3, 0.6), noise(), SCHEDULE.grid(200), SCHEDULE, eta=eta)
    assert float(x.mean()) == pytest.approx(0.3, abs=0.03)
    assert float(x.std()) == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_draw_does_not_depend_on_its_neighbours(normal, sampler) -> None:
    grid, z = SCHEDULE.grid(6), noise(4)
    many, few = (sampler(normal(0.3, 0.6), x, grid, SCHEDULE) for x in (z, z[:2]))
    torch.testing.assert_close(many[:2], few)
    torch.testing.assert_close(many, sampler(normal(0.3, 0.6), z, grid, SCHEDULE))


def test_fresh_noise_follows_seed_draw_and_step() -> None:
    seen = {
        float(sampling.noise(3, 1, 1, seed, step)[draw])
        for seed in (1, 2)
        for step in (0, 1, 2)
        for draw in range(3)
    }
    assert len(seen) == 2 * 3 * 3


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_stops_when_asked(normal, sampler) -> None:
    with pytest.raises(Cancelled):
        sampler(normal(0, 1), noise(1), SCHEDULE.grid(4), SCHEDULE, lambda: True)


class Affine(nn.Module):
    """A network of v that is affine in x, as the exact ones of normal data are."""

    def __init__(self) -> None:
        super().__init__()
        self.of_time = nn.Sequential(
            nn.Linear(33, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2)
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        features = torch.cat([t.float()[:, None] / 1000, time_features(t, 32)], dim=1)
        slope, offset = self.of_time(features)[:, :, None, None].unbind(1)
        return slope * x + offset


def test_a_distilled_network_needs_one_step_or_two(normal) -> None:
    """Distilled from the exact denoiser in 20 steps, one step ends where those 20 did."""
    torch.manual_seed(0)
    teacher = normal(0.7, 0.5)
    student, averaged = Affine(), Affine().requires_grad_(False)
    averaged.load_state_dict(student.state_dict())
    grid, rounds = torch.tensor(SCHEDULE.grid(20)), 1200
    adam = torch.optim.Adam(student.parameters(), 3e-3)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(adam, rounds)
    for _ in range(rounds):
        x0, eps = 0.7 + 0.5 * torch.randn(64, 4, 8), torch.randn(64, 4, 8)
        i = torch.randint(0, 20, (64,))
        error = loss.consistency(
            student, averaged, teacher.at, x0, eps, grid[i], grid[i + 1], SCHEDULE
        )
        adam.zero_grad()
        error.backward()
        adam.step()
        decay.step()
        with torch.no_grad():
            for mean, value in zip(averaged.parameters(), student.parameters(), strict=True):
                mean.lerp_(value, 0.1)

    def velocity(x: Tensor, t: int) -> Tensor:
        return student(x, torch.tensor([t]))

    z = noise().float()
    exact = teacher.on_path(z, -1)
    one = sampling.consistency(velocity, z, SCHEDULE.grid(1), SCHEDULE)
    assert float((one - exact).std()) < 0.05
    regression = sampling.consistency(teacher, z, SCHEDULE.grid(1), SCHEDULE)
    assert float((regression - exact).std()) > 0.4
    walked = sampling.ddim(teacher, z, SCHEDULE.grid(20), SCHEDULE)
    assert float((one - walked).std()) < 0.01
    two = sampling.consistency(velocity, z, SCHEDULE.grid(2), SCHEDULE, seed=1)
    assert float(two.mean()) == pytest.approx(0.7, abs=0.03)
    assert float(two.std()) == pytest.approx(0.5, abs=0.06)


DETERMINISTIC = [sampler for sampler, chosen in SCHEDULERS.items() if not chosen.fresh]
FRESH = [sampler for sampler, chosen in SCHEDULERS.items() if chosen.fresh]


def walked(sampler: Sampler, oracle: Velocity, z: Tensor, steps: int, seed: int = 0) -> Tensor:
    return walk(sampler, oracle, z, SCHEDULE.grid(steps), SCHEDULE, seed=seed)


@pytest.mark.parametrize("sampler", DETERMINISTIC)
def test_every_sampler_of_diffusers_ends_where_ddim_does(normal, sampler) -> None:
    oracle, z = normal(0.3, 0.6), noise().float()
    ddim = sampling.ddim(oracle, z, SCHEDULE.grid(200), SCHEDULE)
    torch.testing.assert_close(walked(sampler, oracle, z, 200), ddim, atol=0.025, rtol=0)
    # And nearer to the truth, but for those of first order, with as few steps as a search takes.
    exact = oracle.on_path(z, -1)
    few, first = (
        walked(sampler, oracle, z, 12),
        sampling.ddim(oracle, z, SCHEDULE.grid(12), SCHEDULE),
    )
    error, of_ddim = (float((end - exact).std()) for end in (few, first))
    assert error < of_ddim * (1.001 if sampler == "euler" else 0.75)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_euler_and_dpm_of_diffusers_are_ours(normal, shift: float) -> None:
    """Two that we have too: the steps, the times and the levels are the same."""
    schedule = Schedule(shift=shift)
    oracle, z, grid = normal(0.3, 0.6, schedule), noise().float(), schedule.grid(9)
    for theirs, ours in ((Sampler.EULER, sampling.ddim), (Sampler.DPM_2M, sampling.dpm_solver_pp)):
        found = walk(theirs, oracle, z, grid, schedule)
        torch.testing.assert_close(found, ours(oracle, z, grid, schedule), atol=2e-3, rtol=0)


@pytest.mark.parametrize("sampler", FRESH)
def test_fresh_noise_leaves_the_deviation_of_the_data(normal, sampler) -> None:
    x = walked(sampler, normal(0.3, 0.6), noise().float(), 100)
    assert float(x.mean()) == pytest.approx(0.3, abs=0.04)
    assert float(x.std()) == pytest.approx(0.6, abs=0.04)


@pytest.mark.parametrize("sampler", SCHEDULERS)
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_few_steps_are_enough_for_any_of_them(normal, sampler, steps: int) -> None:
    """Where there is only noise, their own first step would be infinite or off by far."""
    z = noise().float()
    x = walked(sampler, normal(0.3, 0.6), z, steps)
    assert x.shape == z.shape
    assert float((x - 0.3).abs().max()) < 4


@pytest.mark.parametrize("sampler", SCHEDULERS)
def test_a_draw_of_theirs_follows_its_seed_alone(normal, sampler) -> None:
    oracle, z = normal(0.3, 0.6), noise(3).float()
    many, few = walked(sampler, oracle, z, 5, seed=1), walked(sampler, oracle, z[:1], 5, seed=1)
    torch.testing.assert_close(many[:1], few)
    differs = not torch.equal(many, walked(sampler, oracle, z, 5, seed=2))
    assert differs == SCHEDULERS[sampler].fresh


@pytest.mark.parametrize("sampler", [Sampler.UNIPC, Sampler.EULER_A])
def test_theirs_stop_when_asked(normal, sampler) -> None:
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        walk(sampler, normal(0, 1), noise(1), SCHEDULE.grid(9), SCHEDULE, lambda: next(asked))


def test_what_a_sampler_needs_is_named(normal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    for name in [name for name in sys.modules if name.startswith("diffusers.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        ModelError, match="unipc needs diffusers, which is not installed"
    ) as refused:
        walked(Sampler.UNIPC, normal(0, 1), noise(1), 4)
    assert refused.value.hint == Hint.INSTALL
