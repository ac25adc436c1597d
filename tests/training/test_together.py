"""Draws of many prompts at once are those of each prompt alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import UNET

from gdr_model.diffusion.denoisers import build
from gdr_model.encoders.builtin.tower import ContrastiveTower
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.search.drawing import Drawer
from gdr_model.steering import Steering
from training.data.corpus import Corpus
from training.retrievers import together
from training.retrievers.run_model import run_model
from training.runs.config import RunConfig
from training.runs.space import Space
from training.runs.state import Finished

PROMPTS = ("piano", "warm solo piano", "a", "drums", "a slow and very sad song for strings", "rock")

Ours = Callable[..., Model]


@pytest.fixture
def ours(tiny: RunConfig, corpus: Corpus) -> Ours:
    """Models of untrained networks of any kind, in the space of the small set."""
    space = Space.fit(tiny.data, corpus.latents)

    def made(**shape: Any) -> Model:
        torch.manual_seed(0)
        width = corpus.texts.pooled.shape[1]
        net = build({**shape, "dim": space.dim, "text_width": width}).eval().requires_grad_(False)
        with torch.no_grad():
            for parameter in net.parameters():  # a fresh network answers with zeros
                parameter.add_(0.05 * torch.randn_like(parameter))
        tower = ContrastiveTower(width, space.dim).eval().requires_grad_(False)
        return run_model(Finished(tiny, "0", net, space), corpus, tower, 0.5)

    return made


UPSTREAM = {"kind": "unet", **asdict(UNET), "null": "prompt", "masked": False, "null_length": 40}


@pytest.mark.parametrize(
    "shape",
    [
        {"kind": "mlp", "widths": (16,), "condition_width": 16},
        {"kind": "transformer", "frames": 8, "patch": 2, "width": 16, "layers": 1, "heads": 2},
        UPSTREAM,
    ],
    ids=lambda shape: shape["kind"],
)
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_a_prompt_draws_the_same_alone_and_among_others(
    ours: Ours, shape: dict[str, Any], guidance: float
) -> None:
    drawer = Drawer(ours(**shape), lambda _: np.empty(0, np.float32))
    steerings = [
        Steering(prompt, draws=3, steps=3, guidance=guidance, seed=number % 2)
        for number, prompt in enumerate(PROMPTS)
    ]
    found = together.queries(drawer, steerings)
    assert [query.steering for query in found] == steerings
    for query, steering in zip(found, steerings, strict=True):
        alone = drawer.query(steering)
        assert query.anchor is not None
        assert alone.anchor is not None
        np.testing.assert_allclose(query.vectors, alone.vectors, atol=1e-5)
        np.testing.assert_allclose(query.anchor, alone.anchor, atol=1e-6)
    assert not np.allclose(found[0].vectors, found[3].vectors, atol=1e-3)


def test_batches_are_no_larger_than_they_may_be(
    ours: Ours, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ours(kind="mlp", widths=(16,), condition_width=16)
    drawer = Drawer(model, lambda _: np.empty(0, np.float32))
    sizes, walk = [], drawer.walk

    def measured(steering: Steering, guided: Any, eps: torch.Tensor) -> torch.Tensor:
        sizes.append(len(eps))
        return walk(steering, guided, eps)

    monkeypatch.setattr(drawer, "walk", measured)
    monkeypatch.setattr(together, "ON_CPU", 6)
    steerings = [Steering(f"piano {i}", draws=2, steps=1, seed=0) for i in range(10)]
    assert len(together.queries(drawer, steerings)) == 10
    assert sum(sizes) == 20
    assert 2 < max(sizes) <= 6


def test_the_model_that_ships_draws_the_same_together() -> None:
    drawer = Drawer(checkpoint.load("builtin", "cpu"), lambda _: np.empty(0, np.float32))
    steerings = [Steering(prompt, draws=2, steps=2, seed=0) for prompt in PROMPTS[:3]]
    for query, steering in zip(together.queries(drawer, steerings), steerings, strict=True):
        alone = drawer.query(steering)
        np.testing.assert_allclose(query.vectors, alone.vectors, atol=1e-5)
