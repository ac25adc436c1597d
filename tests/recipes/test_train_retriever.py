"""The built-in retriever from a pool to a model folder, by the trainer of `gdr train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_pool import small_latents, write_pool

from gdr_model.diffusion.denoisers import Network
from gdr_model.models import checkpoint
from gdr_model.models.config import SHIPPED
from gdr_model.types import Array
from recipes.builtin import baselines
from recipes.builtin import export as exporting
from recipes.builtin.corpus.batches import PassageBatches, TowerPassages, chances, search_points
from recipes.builtin.corpus.latents import Latents, take_encoder
from recipes.builtin.corpus.pool import Pool
from recipes.builtin.train_retriever import (
    RETRIEVER,
    HeldOutLoss,
    NoValidation,
    main,
    run_input,
    validation_of,
)
from training.runs.config import RunConfig
from training.runs.run_input import RunInput
from training.runs.state import RunError, load_model
from training.runs.train import train


@pytest.fixture
def config() -> RunConfig:
    """The shipped configuration, made small."""
    config = RunConfig.read(RETRIEVER)
    network = {**config.network, "width": 16, "layers": 1, "heads": 2}
    optimiser = replace(config.optimiser, steps=4, batch=8, warmup=1)
    return replace(config, network=network, optimiser=optimiser, validate_every=2, keep_every=3)


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    (tmp_path / "pool").mkdir()
    return write_pool(tmp_path / "pool")


@pytest.fixture
def latents(tmp_path: Path) -> Latents:
    """Noise around the number of the track, with the projection of the model that ships."""
    rng, plain = np.random.default_rng(0), small_latents()
    rows: dict[str, Array] = {
        name: (own + rng.standard_normal(own.shape)).astype(np.float32)
        for name, own in plain.rows.items()
    }
    every = np.concatenate(list(rows.values()))
    projection = take_encoder("builtin", tmp_path / "encoder")
    latents = Latents(rows, projection, every.mean(0), every.std(0))
    lengths = np.cumsum([0, *(len(own) for own in rows.values())])
    np.savez(
        tmp_path / "encoder" / "latents.npz",
        ids=np.array(list(rows)),
        latents=every,
        offsets=lengths,
        projection=projection,
        mean=latents.mean,
        sd=latents.sd,
    )
    return latents


@pytest.fixture
def given(config: RunConfig, pool: Pool, latents: Latents) -> RunInput:
    return run_input(config, pool, latents, pool)


def test_the_run_becomes_a_model_that_draws_in_the_space_of_its_batches(
    config: RunConfig, pool: Pool, latents: Latents, given: RunInput, tmp_path: Path
) -> None:
    metrics = train(config, given, tmp_path / "retriever")
    assert metrics["passages"] == 6
    assert metrics["captions"] == 5
    assert metrics["validation"]["held-out loss"] > 0
    run = load_model(tmp_path / "retriever")
    points = search_points(pool, latents, run.space)
    source = TowerPassages(pool, points, chances(pool), 0)
    baselines.save_tower(baselines.train_tower(source, 20, 0), tmp_path / "retriever")
    ridge = baselines.fit_ridge(pool, points)
    baselines.save_ridge(ridge, tmp_path / "retriever" / baselines.RIDGE)
    exporting.export(tmp_path, "encoder", "retriever", tmp_path / "model")

    model = checkpoint.load(str(tmp_path / "model"), "cpu")
    shipped = checkpoint.load("builtin", "cpu")
    assert model.space == shipped.space, "libraries indexed with the shipped model stay valid"
    assert model.config.anchor_share == exporting.ANCHOR_SHARE
    # What the model takes for standardised passages is what the network was trained on.
    batches = given.batches
    assert isinstance(batches, PassageBatches)
    x = batches.passages(pool.items)
    np.testing.assert_allclose(
        model.passages(latents.passages(pool.items)).numpy(), x, rtol=1e-3, atol=1e-3
    )
    # A draw of exactly such a passage is found at the passage's own point.
    drawn = model.whitening.apply(model.drawn(torch.from_numpy(x)))
    np.testing.assert_allclose(drawn, points, atol=1e-3)
    again = baselines.read_ridge(exporting.ridge_of(tmp_path / "model"))
    pooled = pool.texts.pooled
    np.testing.assert_allclose(again(pooled), ridge(pooled), atol=0.02)


def test_held_out_loss_is_what_an_untrained_network_makes_of_noise(
    config: RunConfig, given: RunInput, latents: Latents
) -> None:
    assert isinstance(given.validation, HeldOutLoss)
    net = given.network.eval()
    first, again = given.validation(net), given.validation(net)
    assert first == again
    # The network answers 0 at first. v then errs by its own square, about 1 for every coefficient;
    # the time-mean counts for as much again, and more where tracks differ by more than they vary.
    assert 1 < first["held-out loss"] < 20
    none = validation_of(config, latents, given.space, None)
    assert isinstance(none, NoValidation)
    assert none(net) == {}


def test_an_interrupted_run_resumes_to_the_same_weights(
    config: RunConfig, given: RunInput, tmp_path: Path
) -> None:
    def crash(at: object) -> None:
        if getattr(at, "step", 0) == 4:
            raise KeyboardInterrupt

    train(config, given, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(config, given, tmp_path / "parts", on_progress=crash)
    train(config, given, tmp_path / "parts", resume=True)

    def weights(name: str) -> Network:
        return load_model(tmp_path / name).net

    a, b = weights("whole").state_dict(), weights("parts").state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_finished_run_is_not_trained_over(
    config: RunConfig, given: RunInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(config, given, tmp_path / "retriever")
    monkeypatch.setattr("sys.argv", ["train_retriever", "--work", str(tmp_path)])
    with pytest.raises(RunError, match="is finished"):
        main()


def test_the_steps_can_be_others_than_those_of_the_configuration(
    given: RunInput, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given
    command = ["train_retriever", "--work", str(tmp_path), "--name", "short", "--steps", "2"]
    monkeypatch.setattr("sys.argv", command)
    main()
    assert load_model(tmp_path / "short").config.optimiser.steps == 2


def test_an_encoder_is_taken_from_a_model_whole(tmp_path: Path) -> None:
    from recipes.builtin.corpus.latents import load_net

    projection = take_encoder(str(SHIPPED), tmp_path)
    own = checkpoint.load("builtin", "cpu").own_encoder
    assert own is not None
    np.testing.assert_array_equal(projection, own.projection.numpy())
    taken = load_net(tmp_path).state_dict()
    assert all(torch.equal(taken[name], value) for name, value in own.net.state_dict().items())
