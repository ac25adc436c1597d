"""x0, eps and v against each other and against diffusers."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from upstream import UPSTREAM

from gdr_model.diffusion import sampling
from gdr_model.diffusion.denoisers import Context
from gdr_model.diffusion.guidance import Guided
from gdr_model.diffusion.prediction import PREDICTIONS, AsVelocity, target, to_v, to_x0
from gdr_model.diffusion.schedule import Schedule
from gdr_model.errors import UsageError

THEIRS = {"v": "v_prediction", "x0": "sample", "eps": "epsilon"}


@pytest.fixture
def states() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(3, 4, 2), torch.randn(3, 4, 2), torch.tensor([20, 500, 900])


@pytest.mark.parametrize("schedule", [Schedule(), UPSTREAM])
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_what_is_trained_comes_back_as_v_and_as_clean_data(states, schedule, prediction) -> None:
    x0, eps, t = states
    x = schedule.add_noise(x0, eps, t)
    output = target(x0, eps, t, schedule, prediction)
    v = schedule.velocity(x0, eps, t)
    close = {"rtol": 1e-3, "atol": 1e-4}
    torch.testing.assert_close(to_v(output, x, t, schedule, prediction), v, **close)
    torch.testing.assert_close(to_x0(output, x, t, schedule, prediction), x0, **close)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_a_step_of_any_prediction_is_that_of_diffusers(states, prediction: str) -> None:
    from diffusers import DDIMScheduler

    theirs = DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.0015,
        beta_end=0.0195,
        prediction_type=THEIRS[prediction],
        set_alpha_to_one=False,
        steps_offset=1,
        clip_sample=False,
    )
    theirs.set_timesteps(20)
    output, x, _ = states
    for t, to in ((951, 901), (501, 451), (51, 1), (1, -1)):
        v = to_v(output, x, torch.tensor([t] * 3), UPSTREAM, prediction)
        torch.testing.assert_close(
            sampling.move(x, v, t, to, UPSTREAM),
            theirs.step(output, t, x).prev_sample,
            rtol=1e-3,
            atol=1e-3,
        )


@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("steps", [1, 7, 12, 50, 200])
def test_grids_are_those_of_diffusers(spacing: str, steps: int) -> None:
    from diffusers import DDIMScheduler

    theirs = DDIMScheduler(beta_schedule="scaled_linear", timestep_spacing=spacing, steps_offset=1)
    theirs.set_timesteps(steps)
    ours = Schedule(kind="scaled_linear", spacing=spacing, steps_offset=1)
    assert ours.grid(steps) == [*theirs.timesteps.tolist(), -1]


@pytest.mark.parametrize("fields", [{"kind": "linear"}, {"spacing": "linspace"}])
def test_an_unknown_schedule_is_refused(fields: dict) -> None:
    with pytest.raises(UsageError, match="unknown noise schedule 'lin"):
        Schedule(**fields)


def test_an_unknown_prediction_is_refused(states) -> None:
    x, _, t = states
    for function in (to_v, to_x0):
        with pytest.raises(UsageError, match="unknown prediction 'score'"):
            function(x, x, t, Schedule(), "score")


@dataclass
class Exact:
    """Two prompts' exact answers, of any prediction: the pooled text is the mean of the data."""

    schedule: Schedule
    prediction: str
    null: Tensor

    def read(self, states: Tensor, mask: Tensor, pooled: Tensor) -> Context:
        return Context((), mask[:, None, None], pooled)

    def __call__(self, x: Tensor, t: Tensor, context: Context) -> Tensor:
        x0 = context.pooled[:, None].expand_as(x)
        signal, noise = self.schedule.levels(t)
        return target(x0, (x - signal * x0) / noise, t, self.schedule, self.prediction)


def test_guidance_does_not_depend_on_the_prediction(words) -> None:
    schedule, x = Schedule(), torch.randn(2, 5, 12)
    answers = []
    for prediction in PREDICTIONS:
        net = AsVelocity(Exact(schedule, prediction, torch.zeros(1)), schedule, prediction)
        guided = Guided.build(net, words([0, 4, 3]), 3.0, (0.5,))
        answers.append(sampling.ddim(guided, x, schedule.grid(8), schedule))
    for other in answers[1:]:
        torch.testing.assert_close(other, answers[0], rtol=1e-3, atol=1e-3)
