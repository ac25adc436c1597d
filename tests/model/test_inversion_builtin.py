"""Inversion on the model that ships: what it promises of a round trip and of the noise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gdr_model.diffusion import inversion, sampling
from gdr_model.diffusion.guidance import Guided
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model

PROMPTS = ["warm solo piano", "fast techno", "acoustic guitar folk song", "orchestra"]


@pytest.fixture(scope="module")
def model() -> Model:
    return checkpoint.load("builtin", "cpu")


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("steps", [12, 24])
def test_a_passage_is_led_to_unit_noise_and_back(model: Model, prompt: str, steps: int) -> None:
    plain = Guided.build(model.velocity, model.text.embed(["", prompt]), 1.0)
    config, schedule = model.denoiser.config, model.schedule
    z = sampling.noise(1, config.frames, config.dim, seed=PROMPTS.index(prompt))
    # Drawn with another grid, so that no walk of this one ends at it.
    source = sampling.ddim(plain, z, schedule.grid(50), schedule)
    grid = schedule.grid(steps)
    top = inversion.invert(plain, source, grid, schedule)
    back = sampling.ddim(plain, top, grid, schedule)
    assert float(torch.cosine_similarity(back.flatten(), source.flatten(), dim=0)) > 0.999
    if steps >= 24:
        # Few numbers: the noise it was drawn from has itself a deviation of 1 to within a tenth.
        assert float(top.std() / z.std()) == pytest.approx(1, abs=0.1)


def test_a_step_of_an_inversion_takes_a_few_evaluations_and_draws_what_more_would(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Guided.build(model.velocity, model.text.embed(["", PROMPTS[0]]), 1.0)
    config, schedule = model.denoiser.config, model.schedule
    z = sampling.noise(1, config.frames, config.dim, seed=7)
    source = sampling.ddim(plain, z, schedule.grid(50), schedule)
    grid, asked = schedule.grid(6), []

    def counted(x: Tensor, t: int) -> Tensor:
        asked.append(t)
        return plain(x, t)

    found = inversion.invert(counted, source, grid, schedule)
    assert len(asked) <= 5 * (len(grid) - 1)
    monkeypatch.setattr(inversion, "SOLVED", 1e-7)
    exact = inversion.invert(plain, source, grid, schedule)
    assert float((found - exact).norm() / exact.norm()) < 2e-4
