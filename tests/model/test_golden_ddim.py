"""The method's own schedule and walks: every reference trajectory of diffusers, reproduced.

Data are normal, so the denoiser is exact; states are in double precision.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor
from upstream import UPSTREAM

from gdr_model.diffusion import sampling
from gdr_model.diffusion.prediction import to_v

RTOL = ATOL = 1e-5
"""diffusers keeps its coefficients in single precision."""
Arrays = dict[str, Tensor]


@pytest.fixture
def io(golden) -> Arrays:
    arrays = np.load(golden("ddim") / "io.npz")
    return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def x0(io: Arrays, x: Tensor, t: int, guidance: float) -> Tensor:
    """The exact estimate of clean data, guided away from data of another mean."""
    signal, noise = UPSTREAM.level(t)

    def under(mean: Tensor) -> Tensor:
        variance = signal**2 * io["sigma"] ** 2 + noise**2
        return mean + signal * io["sigma"] ** 2 / variance * (x - signal * mean)

    null = under(io["mu_uncond"])
    return null + guidance * (under(io["mu"]) - null)


def velocity(io: Arrays, guidance: float, prediction: str = "x0"):
    """The same denoiser as a network of any prediction would be used."""

    def v(x: Tensor, t: int) -> Tensor:
        signal, noise = UPSTREAM.level(t)
        clean = x0(io, x, t, guidance)
        eps = (x - signal * clean) / noise
        output = {"x0": clean, "eps": eps, "v": signal * eps - noise * clean}[prediction]
        return to_v(output, x, torch.full((len(x),), t), UPSTREAM, prediction)

    return v


def walk(io: Arrays, guidance: float, x: Tensor, grid: list[int]) -> Tensor:
    """All states of a walk of DDIM, the first included."""
    states = [x]
    for t, to in pairwise(grid):
        states.append(sampling.ddim(velocity(io, guidance), states[-1], [t, to], UPSTREAM))
    return torch.stack(states)


def walk_up(io: Arrays, guidance: float, x: Tensor, grid: list[int]) -> Tensor:
    """diffusers' inverse scheduler: the estimate at the target time, the noise of this one."""
    states = [x]
    for fro, t in pairwise(reversed(grid)):
        clean = x0(io, states[-1], t, guidance)
        signal, noise = UPSTREAM.level(fro)
        eps = (states[-1] - signal * clean) / noise
        signal, noise = UPSTREAM.level(t)
        states.append(signal * clean + noise * eps)
    return torch.stack(states)


def test_the_schedule_is_the_methods(io) -> None:
    torch.testing.assert_close(UPSTREAM.a[:-1], io["alphas_cumprod"].double(), rtol=2e-6, atol=0)
    assert float(UPSTREAM.a[-1]) == pytest.approx(0.9985)
    for steps in (10, 20, 50):
        grid = UPSTREAM.grid(steps)
        assert grid == [*io[f"timesteps_ddim_{steps}"].tolist(), -1]


@pytest.mark.parametrize("steps", [10, 20, 50])
@pytest.mark.parametrize("guidance", [1, 3])
def test_a_walk_is_that_of_diffusers(io, steps: int, guidance: int) -> None:
    states = walk(io, guidance, io["x_T"], UPSTREAM.grid(steps))
    theirs = io[f"ddim_sample_n{steps}_g{guidance}_traj"]
    torch.testing.assert_close(states, theirs, rtol=RTOL, atol=ATOL)


@pytest.mark.parametrize("steps", [10, 20, 50])
@pytest.mark.parametrize(
    ("ours", "theirs"), [("eps", "epsilon"), ("v", "v_prediction"), ("x0", "v_prediction")]
)
def test_every_prediction_ends_where_diffusers_does(io, steps: int, ours: str, theirs: str) -> None:
    end = sampling.ddim(velocity(io, 1, ours), io["x_T"], UPSTREAM.grid(steps), UPSTREAM)
    torch.testing.assert_close(end, io[f"ddim_{theirs}_n{steps}_g1_end"], rtol=RTOL, atol=ATOL)


@pytest.mark.parametrize("steps", [10, 20, 50])
def test_walks_approach_the_closed_form(io, steps: int) -> None:
    end = sampling.ddim(velocity(io, 1), io["x_T"], UPSTREAM.grid(steps), UPSTREAM)
    exact = io[f"analytic_n{steps}_end_alphabar0"]
    error = math.sqrt(float((end - exact).square().mean()))
    assert error == pytest.approx({10: 0.1374, 20: 0.0742, 50: 0.0317}[steps], rel=0.01)


@pytest.mark.parametrize(("up", "down"), [(1, 1), (3, 3), (1, 3)])
@pytest.mark.parametrize(("steps", "levels"), [(10, 4), (20, 8), (50, 20), (20, 20), (10, 10)])
def test_an_inversion_and_its_way_back_are_those_of_diffusers(
    io, steps: int, levels: int, up: int, down: int
) -> None:
    grid = UPSTREAM.grid(steps)[-levels - 1 :]
    name = f"inv_n{steps}_k{levels}_g{up}_{down}"
    assert io[f"{name}_t_down"].tolist() == grid[:-1]
    climbed = walk_up(io, up, io["x_start_clean"], grid)
    torch.testing.assert_close(climbed, io[f"{name}_up"], rtol=RTOL, atol=ATOL)
    torch.testing.assert_close(
        walk(io, down, climbed[-1], grid), io[f"{name}_down"], rtol=RTOL, atol=ATOL
    )


@pytest.mark.parametrize(("up", "down"), [(1, 1), (3, 3), (1, 3)])
def test_a_whole_inversion_and_its_way_back_are_those_of_diffusers(io, up: int, down: int) -> None:
    grid, name = UPSTREAM.grid(50), f"inv_n50_k50_g{up}_{down}"
    top = walk_up(io, up, io["x_start_clean"], grid)[-1]
    torch.testing.assert_close(top, io[f"{name}_mid"], rtol=RTOL, atol=ATOL)
    torch.testing.assert_close(
        walk(io, down, top, grid)[-1], io[f"{name}_end"], rtol=RTOL, atol=ATOL
    )


def test_noise_is_added_as_diffusers_adds_it(io) -> None:
    x, eps, t = io["x_start_clean"], io["addnoise_noise"], io["addnoise_t"]
    torch.testing.assert_close(
        UPSTREAM.add_noise(x, eps, t), io["addnoise_xt"], rtol=RTOL, atol=ATOL
    )
    torch.testing.assert_close(
        UPSTREAM.velocity(x, eps, t), io["addnoise_velocity"], rtol=RTOL, atol=ATOL
    )
