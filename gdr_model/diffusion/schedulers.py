"""The samplers of diffusers, over our own guided velocity and grid of times.

diffusers is imported when one of them draws, because that takes most of a second. Its schedulers
know nothing of a shifted grid or of times between theirs, so each gets a schedule that consists of
the grid's times alone: its betas are what is lost from one of them to the next, and it visits
them all.

The first step is always DDIM's. Where there is only noise (a signal of 5e-5 in the cosine
schedule), the ratio of noise to signal that many of these solvers step along is twenty thousand:
Heun's average of two slopes along it is off by thirty deviations, and in single precision the
first beta can round to one. From the second time on, the scheduler walks. All of them walk to
clean data, whatever the schedule of the training says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from gdr_model.diffusion.guidance import Velocity
from gdr_model.diffusion.sampling import check, generator, move
from gdr_model.diffusion.schedule import Schedule
from gdr_model.errors import Hint, ModelError
from gdr_model.steering import Sampler
from gdr_model.types import Cancel, never


@dataclass(frozen=True)
class Scheduler:
    """A scheduler class of diffusers, and the options that it is made with."""

    module: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    by_ratio: bool = False
    """Whether it walks x over its signal (Karras et al. 2022), instead of x."""
    fresh: bool = False
    """Whether it adds fresh noise at every step."""


_MULTISTEP = ("dpmsolver_multistep", "DPMSolverMultistepScheduler")
_PLUS: Mapping[str, Any] = {"algorithm_type": "dpmsolver++", "final_sigmas_type": "zero"}
SCHEDULERS: Mapping[Sampler, Scheduler] = {
    Sampler.EULER: Scheduler("euler_discrete", "EulerDiscreteScheduler", by_ratio=True),
    Sampler.EULER_A: Scheduler(
        "euler_ancestral_discrete",
        "EulerAncestralDiscreteScheduler",
        by_ratio=True,
        fresh=True,
    ),
    Sampler.HEUN: Scheduler("heun_discrete", "HeunDiscreteScheduler", by_ratio=True),
    Sampler.LMS: Scheduler("lms_discrete", "LMSDiscreteScheduler", by_ratio=True),
    Sampler.PNDM: Scheduler("pndm", "PNDMScheduler", {"skip_prk_steps": True}),
    Sampler.DEIS: Scheduler("deis_multistep", "DEISMultistepScheduler"),
    Sampler.UNIPC: Scheduler(
        "unipc_multistep", "UniPCMultistepScheduler", {"final_sigmas_type": "zero"}
    ),
    Sampler.DPM_2M: Scheduler(*_MULTISTEP, _PLUS),
    Sampler.DPM_3M: Scheduler(*_MULTISTEP, {**_PLUS, "solver_order": 3}),
    Sampler.DPM_2M_SDE: Scheduler(
        *_MULTISTEP, {**_PLUS, "algorithm_type": "sde-dpmsolver++"}, fresh=True
    ),
}


def walk(
    sampler: Sampler,
    velocity: Velocity,
    x: Tensor,
    grid: list[int],
    schedule: Schedule,
    cancelled: Cancel = never,
    *,
    seed: int = 0,
) -> Tensor:
    """Take x (B, T, D) from the grid's first time to clean data with a scheduler of diffusers.

    Raises:
        ModelError: if what the scheduler needs is not installed.
        Cancelled: between steps, when the caller asks to stop.
    """
    chosen = SCHEDULERS[sampler]
    with torch.inference_mode():
        check(cancelled)
        x = move(x, velocity(x, grid[0]), grid[0], grid[1], schedule)
        times = grid[-2:0:-1]  # those left, nearest to clean data first
        if not times:
            return x
        scheduler = _made(chosen, sampler, times, schedule)
        scheduler.set_timesteps(len(times))
        more = {"generator": [generator(seed, draw, 1) for draw in range(len(x))]}
        if chosen.by_ratio:
            x = x / schedule.level(grid[1])[0]
        for step in scheduler.timesteps:
            check(cancelled)
            v = velocity(scheduler.scale_model_input(x, step), times[int(step)])
            x = scheduler.step(v, step, x, **(more if chosen.fresh else {})).prev_sample
    return x


def _made(chosen: Scheduler, sampler: Sampler, times: list[int], schedule: Schedule) -> Any:
    """A scheduler whose training times are these (rising), all of them visited."""
    try:
        module = import_module(f"diffusers.schedulers.scheduling_{chosen.module}")
    except ImportError as error:
        package = (error.name or "diffusers").partition(".")[0]
        raise ModelError(
            f"the sampler {sampler} needs {package}, which is not installed",
            Hint.INSTALL,
            package=package,
        ) from error
    kept = [1.0, *(float(schedule.a[t]) for t in times)]
    return getattr(module, chosen.name)(
        num_train_timesteps=len(times),
        trained_betas=[1 - after / before for before, after in pairwise(kept)],
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        **chosen.options,
    )
