"""Schedule, sampler, guidance and inversion against closed forms and diffusers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from gdr_model.diffusion import inversion, sampling
from gdr_model.diffusion.denoisers.transformer import TransformerConfig, TransformerDenoiser
from gdr_model.diffusion.guidance import Guided, coefficients
from gdr_model.diffusion.schedule import Schedule
from gdr_model.errors import Cancelled
from gdr_model.types import TextEmbedding

SCHEDULE = Schedule()


@dataclass
class Gaussian:
    """The exact denoiser of data drawn from N(mean, sd^2): no network can do better."""

    mean: float
    sd: float

    def __call__(self, x: Tensor, t: int) -> Tensor:
        a = float(SCHEDULE.a[t])
        variance = a * self.sd**2 + 1 - a
        x0 = self.mean + math.sqrt(a) * self.sd**2 / variance * (x - math.sqrt(a) * self.mean)
        eps = (x - math.sqrt(a) * x0) / math.sqrt(1 - a)
        return math.sqrt(a) * eps - math.sqrt(1 - a) * x0

    def end(self, z: Tensor) -> Tensor:
        """Where the probability flow carries noise z: to the same quantile of the data."""
        a = float(SCHEDULE.a[999])
        deviation = math.sqrt(a * self.sd**2 + 1 - a)
        return self.mean + self.sd * (z - math.sqrt(a) * self.mean) / deviation


@pytest.fixture(scope="module")
def net() -> TransformerDenoiser:
    torch.manual_seed(0)
    net = TransformerDenoiser(
        TransformerConfig(dim=8, frames=16, width=32, layers=2, text_width=12)
    )
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return net.eval()


def text_of(lengths: list[int], seed: int = 0) -> TextEmbedding:
    """Random text; a length of 0 is the null."""
    rng = np.random.default_rng(seed)
    states = np.zeros((len(lengths), 6, 12), np.float32)
    mask = np.zeros((len(lengths), 6), np.bool_)
    pooled = np.zeros((len(lengths), 12), np.float32)
    for row, length in enumerate(lengths):
        states[row, :length] = rng.standard_normal((length, 12))
        mask[row, :length] = True
        pooled[row] = states[row, :length].mean(0) if length else 0
    return TextEmbedding(states, mask, pooled)


def test_the_schedule_is_that_of_diffusers() -> None:
    from diffusers import DDIMScheduler

    theirs = DDIMScheduler(
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
    )
    torch.testing.assert_close(SCHEDULE.a[:-1].float(), theirs.alphas_cumprod, rtol=1e-4, atol=1e-7)
    for steps in (1, 8, 12, 50):
        theirs.set_timesteps(steps)
        assert SCHEDULE.grid(steps) == [*theirs.timesteps.tolist(), -1]


def test_a_shifted_grid_crowds_its_steps_towards_noise() -> None:
    plain, shifted = SCHEDULE.grid(10), Schedule(shift=6.0).grid(10)
    assert (shifted[0], shifted[-1]) == (999, -1)
    assert shifted == sorted(set(shifted), reverse=True)
    for t, warped in zip(plain[:-1], shifted[:-1], strict=True):
        share = (t + 1) / 1000
        assert abs((warped + 1) / 1000 - 6 * share / (1 + 5 * share)) < 1e-3


def test_a_walk_of_ddim_is_that_of_diffusers(net: TransformerDenoiser) -> None:
    from diffusers import DDIMScheduler

    theirs = DDIMScheduler(
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
    )
    theirs.set_timesteps(10)
    guided = Guided.build(net, text_of([0, 4, 3]), 3.0, (1.0,))
    z = sampling.noise(2, 16, 8, seed=5)
    x = z
    with torch.inference_mode():
        for t in theirs.timesteps:
            x = theirs.step(guided(x, int(t)), int(t), x).prev_sample
    ours = sampling.ddim(guided, z, SCHEDULE.grid(10), SCHEDULE)
    torch.testing.assert_close(ours, x, rtol=1e-3, atol=1e-3)


def test_noise_and_velocity_come_apart_again() -> None:
    x0, eps = torch.randn(3, 4, 2), torch.randn(3, 4, 2)
    t = torch.tensor([700] * 3)
    x, v = SCHEDULE.add_noise(x0, eps, t), SCHEDULE.velocity(x0, eps, t)
    again = SCHEDULE.x0_eps(x, v, 700)
    torch.testing.assert_close(again, (x0, eps), rtol=1e-4, atol=1e-5)


def test_ddim_converges_to_the_closed_form_at_first_order() -> None:
    oracle = Gaussian(mean=0.7, sd=0.5)
    z = torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(1))
    errors = [
        float((sampling.ddim(oracle, z, SCHEDULE.grid(n), SCHEDULE) - oracle.end(z)).std())
        for n in (10, 20, 40, 80)
    ]
    assert errors[-1] < 0.01
    for coarse, fine in pairwise(errors):
        assert 1.5 < coarse / fine < 3, errors


def test_a_draw_depends_on_its_seed_and_number_alone() -> None:
    few, many = sampling.noise(2, 4, 3, seed=9), sampling.noise(8, 4, 3, seed=9)
    assert torch.equal(few, many[:2])
    assert not torch.equal(few, sampling.noise(2, 4, 3, seed=10))


def test_inversion_leads_back_exactly() -> None:
    oracle = Gaussian(mean=0.0, sd=1.0)
    source = torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(2))
    grid = SCHEDULE.grid(50)
    top = inversion.invert(oracle, source, grid, SCHEDULE, iterations=20)
    back = sampling.ddim(oracle, top, grid, SCHEDULE)
    torch.testing.assert_close(back, source, rtol=1e-3, atol=1e-3)
    assert abs(float(top.std()) - 1) < 0.1


def test_fixed_point_iterations_close_the_round_trip() -> None:
    oracle = Gaussian(mean=0.3, sd=0.6)
    source = 0.3 + 0.6 * torch.randn(1, 32, 32, generator=torch.Generator().manual_seed(3))
    grid = SCHEDULE.grid(12)

    def error(iterations: int) -> float:
        top = inversion.invert(oracle, source, grid, SCHEDULE, iterations=iterations)
        return float((sampling.ddim(oracle, top, grid, SCHEDULE) - source).std())

    assert error(3) < error(1) < error(0)


def test_one_negative_at_guidance_three_is_the_methods_formula(net: TransformerDenoiser) -> None:
    text = text_of([0, 4, 3])
    x = torch.randn(2, 16, 8)
    alone = [
        Guided.build(
            net, TextEmbedding(text.states[[0, i]], text.mask[[0, i]], text.pooled[[0, i]]), 1
        )
        for i in (1, 2)
    ]
    with torch.inference_mode():
        p, n = (branch(x, 500) for branch in alone)
        guided = Guided.build(net, text, 3.0, (1.0,))
        torch.testing.assert_close(guided(x, 500), n + 3 * (p - n), rtol=1e-4, atol=1e-4)
    assert len(guided.factors) == 2, "the null cancels out and must not be evaluated"


def test_factors_sum_to_one() -> None:
    for guidance in (0.0, 1.0, 3.0, 7.5):
        assert sum(coefficients(guidance, (0.5, 2.0))) == pytest.approx(1.0)


def test_a_prompt_alone_or_in_a_batch_gives_the_same(net: TransformerDenoiser) -> None:
    batch = text_of([0, 2, 6])
    with torch.inference_mode():
        read = net.read(
            *(torch.from_numpy(part) for part in (batch.states, batch.mask, batch.pooled))
        )
        x, t = torch.randn(3, 16, 8), torch.full((3,), 300)
        together = net(x, t, read)
        for row in range(3):
            one = net.read(
                *(torch.from_numpy(p[[row]]) for p in (batch.states, batch.mask, batch.pooled))
            )
            torch.testing.assert_close(net(x[[row]], t[[row]], one)[0], together[row])


def test_padding_is_never_read(net: TransformerDenoiser) -> None:
    text = text_of([3])
    text.states[0, 3:] = 1e3
    with torch.inference_mode():
        x, t = torch.randn(1, 16, 8), torch.tensor([300])
        clean, dirty = (
            net(x, t, net.read(*(torch.from_numpy(p) for p in (e.states, e.mask, e.pooled))))
            for e in (text_of([3]), text)
        )
    torch.testing.assert_close(clean, dirty)


def test_a_draw_stops_when_asked(net: TransformerDenoiser) -> None:
    guided = Guided.build(net, text_of([0, 2]), 3.0)
    with pytest.raises(Cancelled):
        sampling.ddim(guided, torch.zeros(1, 16, 8), SCHEDULE.grid(4), SCHEDULE, lambda: True)
