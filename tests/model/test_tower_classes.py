"""A model whose tower knows which classes words name: stored, searched and explained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from demo_library import indexed
from saved_model import save

from gdr_model.encoders.builtin.tower import ContrastiveTower, fused_by
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model, RetrieverNetworks
from gdr_model.search.retriever import Retriever
from gdr_model.search.why import explain
from gdr_model.steering import Slider, Steering
from gdr_model.types import Method

CLASSES = 7


@pytest.fixture(scope="module")
def model() -> Model:
    """The built-in model with classes of no meaning."""
    plain = checkpoint.load("builtin", "cpu")
    assert plain.networks is not None
    own = plain.networks.contrastive
    tower = ContrastiveTower(**own.shape | {"classes": CLASSES})
    tower.load_state_dict(own.state_dict(), strict=False)
    assert tower.named is not None
    generator = torch.Generator().manual_seed(0)
    for part in tower.named.buffers():
        part.copy_(0.2 * torch.randn(part.shape, generator=generator))
    tower.eval().requires_grad_(False)
    return replace(plain, networks=RetrieverNetworks(plain.networks.denoiser, tower))


def test_a_model_keeps_its_classes(model: Model, tmp_path: Path) -> None:
    assert model.networks is not None
    loaded = save(tmp_path / "model", model)
    assert loaded.config.contrastive["classes"] == CLASSES
    pooled = torch.from_numpy(model.text.embed(["warm piano", "loud drums"]).pooled)
    wanted = model.networks.contrastive.fused(pooled)
    torch.testing.assert_close(fused_by(loaded.contrastive)(pooled), wanted, atol=5e-3, rtol=0)
    assert not torch.allclose(loaded.contrastive(pooled), wanted, atol=0.1)


def test_only_draws_are_fused_with_the_classes(
    model: Model, tmp_path_factory: pytest.TempPathFactory
) -> None:
    library = indexed(tmp_path_factory, model, every=9)
    retriever = Retriever(model, [library], remember=8)
    plain = Retriever(checkpoint.load("builtin", "cpu"), [library])
    asked = Steering("warm piano", draws=3, steps=2)
    alone = retriever.query(asked, Method.CONTRASTIVE)
    np.testing.assert_array_equal(alone.vectors, plain.query(asked, Method.CONTRASTIVE).vectors)
    query = retriever.query(asked)
    assert query.anchor is not None
    assert model.networks is not None
    pooled = torch.from_numpy(model.text.embed(["warm piano"]).pooled)
    wanted = model.networks.contrastive.fused(pooled).numpy()
    np.testing.assert_allclose(query.anchor, wanted, atol=1e-5)
    np.testing.assert_allclose(query.vectors, plain.query(asked).vectors, atol=1e-6)
    assert np.abs(query.anchor - alone.vectors).max() > 0.05


@pytest.mark.parametrize("method", list(Method))
def test_the_pushes_add_up(
    model: Model, tmp_path_factory: pytest.TempPathFactory, method: Method
) -> None:
    library = indexed(tmp_path_factory, model, every=9)
    retriever = Retriever(model, [library], remember=8)
    asked = Steering("warm piano", draws=3, steps=2, sliders=(Slider("bells", 0.5),))
    results = retriever.search(asked, 2, method=method)
    for hit in results.hits:
        why = explain(retriever, results.query, hit)
        assert sum(push.total for push in why.pushes) == pytest.approx(hit.score, abs=1e-5)
