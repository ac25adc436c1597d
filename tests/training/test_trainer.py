"""The trainer on data that is no captioned set: whatever gives a batch for a step."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gdr_model.diffusion import loss
from gdr_model.diffusion.denoisers import Network, build
from training.runs.config import DiffusionConfig, OptimiserConfig, RunConfig
from training.runs.run_input import RunInput, TrainingBatch
from training.runs.space import Space
from training.runs.state import load_model
from training.runs.train import noise_shares, objective, train

DIM, WORDS = 3, 5


@dataclass(frozen=True)
class Compass:
    """Word i is sound i: what a network can learn in a few steps."""

    size: int = 32

    def batch(self, step: int) -> TrainingBatch:
        rng = np.random.default_rng([7, step])
        word = rng.integers(2, size=self.size)
        x0 = np.where(word[:, None] == 0, 1.0, -1.0) * np.ones((1, DIM))
        pooled = np.eye(WORDS)[word]
        mask = torch.from_numpy(rng.random((self.size, 1)) >= 0.1)
        x0_, pooled_ = (torch.from_numpy(a.astype(np.float32)) for a in (x0, pooled))
        return TrainingBatch(x0_[:, None], torch.zeros(self.size, 1, WORDS), mask, pooled_)


class Distance:
    """How far the estimates at the highest noise are from the truth."""

    figures = ("distance",)

    def __call__(self, net: Network) -> dict[str, float]:
        batch = Compass().batch(10_000)
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(batch.x0.shape, generator=generator)
        schedule, last = DiffusionConfig().schedule, 999
        with torch.inference_mode():
            context = net.read(batch.states, torch.ones_like(batch.mask), batch.pooled)
            v = net(x, torch.full((len(x),), last), context)
        x0, _ = schedule.x0_eps(x, v, last)
        return {"distance": float((x0 - batch.x0).square().mean())}


class SlowDistance(Distance):
    """The same, after a while of work."""

    def __call__(self, net: Network) -> dict[str, float]:
        begin_s = time.process_time()
        while time.process_time() - begin_s < 0.2:
            pass
        return super().__call__(net)


@pytest.fixture
def config() -> RunConfig:
    return RunConfig(
        "compass",
        diffusion=DiffusionConfig(min_snr=None, nt_xent=0.02, stratified=True),
        optimiser=OptimiserConfig(steps=150, batch=32, rate=3e-3, warmup=5, ema=0.9),
        validate_every=50,
        keep_every=0,
    )


@pytest.fixture
def given() -> RunInput:
    shape = {"kind": "mlp", "dim": DIM, "text_width": WORDS, "widths": (32,), "condition_width": 16}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = build(shape)
    one = np.ones(DIM, np.float32)
    space = Space(0 * one, np.eye(DIM, dtype=np.float32), one, one, 0.0, 0.5)
    return RunInput(Compass(), space, net, "none", Distance(), {"words": 2})


def test_any_source_of_batches_is_learned_from(
    config: RunConfig, given: RunInput, tmp_path: Path
) -> None:
    before = Distance()(given.network.eval())["distance"]
    metrics = train(config, given, tmp_path)
    assert metrics["words"] == 2
    assert metrics["validation"]["distance"] < 0.1 < before
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows if row["distance"]] == ["50", "100", "150"]
    run = load_model(tmp_path)
    assert Distance()(run.net)["distance"] == pytest.approx(metrics["validation"]["distance"])
    assert Distance()(given.network)["distance"] == before, "the given network is left as it was"


def test_the_log_has_the_processor_time_without_that_of_validations(
    config: RunConfig, given: RunInput, tmp_path: Path
) -> None:
    begin_s = time.process_time()
    train(config, replace(given, validation=SlowDistance()), tmp_path)
    all_s = time.process_time() - begin_s
    with (tmp_path / "log.csv").open() as file:
        spent_s = [float(row["processor_s"]) for row in csv.DictReader(file)]
    assert 0 < spent_s[0] < spent_s[-1] < all_s - 3 * 0.2


def test_rows_without_words_take_no_part_in_the_contrast(
    config: RunConfig, given: RunInput
) -> None:
    batch = Compass(8).batch(0)
    batch = replace(batch, mask=torch.arange(8)[:, None] < 5)
    plain = replace(config, diffusion=replace(config.diffusion, nt_xent=0.0))
    net = given.network.eval()
    seen: list[Tensor] = []

    def watched(output: Tensor, *rest: Tensor | object) -> Tensor:
        seen.append(output)
        return torch.tensor(2.5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loss, "nt_xent", watched)
        both, alone = (objective(net, batch, c, 3) for c in (config, plain))
        silent = replace(batch, mask=torch.zeros(8, 1, dtype=torch.bool))
        objective(net, silent, config, 3)
    assert [len(output) for output in seen] == [5], "none where no row has words"
    torch.testing.assert_close(both, alone + 0.02 * 2.5)


def test_stratified_times_have_one_in_every_stretch(config: RunConfig) -> None:
    shares = noise_shares(50, config, torch.Generator().manual_seed(1))
    assert (shares * 50).long().sort().values.tolist() == list(range(50))
    assert shares.tolist() != shares.sort().values.tolist()
    free = replace(config, diffusion=replace(config.diffusion, stratified=False))
    drawn = noise_shares(50, free, torch.Generator().manual_seed(1))
    assert (drawn * 50).long().unique().numel() < 50
