"""The parts of a run: the running mean of weights, the space, the report, the export."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gdr_model.diffusion.denoisers import build
from gdr_model.errors import UsageError
from gdr_model.search.whitening import Whitening
from training.data.config import DataConfig
from training.retrievers.export import difference, require_searchable
from training.retrievers.run_model import statistics
from training.runs import report
from training.runs.ema import Ema
from training.runs.space import Space


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


# The running mean of weights


def linear(value: float) -> nn.Linear:
    net = nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, value)
    return net


def test_the_mean_of_weights_that_stand_still_are_these_weights() -> None:
    net = linear(0.0)
    ema = Ema(net, 0.99)
    nn.init.constant_(net.weight, 5.0)
    for _ in range(100):
        ema.update(net)
    assert ema.weights["weight"].item() == pytest.approx(5.0, abs=0.01)


def test_the_mean_lags_as_its_decay_says() -> None:
    net, decay = linear(0.0), 0.9
    ema = Ema(net, decay)
    for step in range(1, 301):
        nn.init.constant_(net.weight, float(step))
        ema.update(net)
    # A ramp is followed at a distance of decay / (1 - decay) steps.
    assert 300 - ema.weights["weight"].item() == pytest.approx(decay / (1 - decay), rel=0.01)


def test_without_decay_the_mean_is_the_last_step() -> None:
    net = linear(1.0)
    ema = Ema(net, 0.0)
    nn.init.constant_(net.weight, 7.0)
    ema.update(net)
    assert ema.weights["weight"].item() == 7.0


def test_a_network_gets_its_own_weights_back_even_after_an_error() -> None:
    net = linear(1.0).train()
    ema = Ema(net, 0.5)
    nn.init.constant_(net.weight, 3.0)

    def interrupted() -> None:
        with ema.inside(net):
            assert net.weight.item() == 1.0
            assert not net.training
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert net.weight.item() == 3.0
    assert net.training


def test_a_restored_mean_continues_as_if_nothing_had_happened() -> None:
    net = linear(1.0)
    one, two = Ema(net, 0.9), Ema(linear(0.0), 0.9)
    nn.init.constant_(net.weight, 2.0)
    one.update(net)
    two.restore({"steps": one.steps, **{f"weights.{k}": v for k, v in one.weights.items()}})
    for ema in (one, two):
        ema.update(net)
    assert torch.equal(one.weights["weight"], two.weights["weight"])


# The space of a run


def music(rng: np.random.Generator, tracks: int = 30, width: int = 6) -> list[np.ndarray]:
    """Latents with a mean, and axes that vary differently."""
    scale = np.linspace(0.5, 4, width)
    return [(5 + scale * rng.standard_normal((8, width))).astype(np.float32) for _ in range(tracks)]


def test_standardised_latents_have_mean_0_and_deviation_1(rng: np.random.Generator) -> None:
    latents = music(rng)
    x = Space.fit(DataConfig(), latents).standard(np.concatenate(latents))
    np.testing.assert_allclose(x.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(x.std(0, ddof=1), 1, rtol=1e-3)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_a_run_searches_as_the_product_whitens(power: float, rng: np.random.Generator) -> None:
    latents = music(rng)
    space = Space.fit(DataConfig(power=power), latents)
    means = np.stack([track.mean(0) for track in latents])
    whitening = Whitening(space.mean, space.spread, power)
    np.testing.assert_allclose(
        space.search(space.standard(means)), whitening.apply(means), atol=1e-5
    )


def test_principal_axes_are_uncorrelated_and_of_one_sign(rng: np.random.Generator) -> None:
    turned = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    latents = [track @ turned.astype(np.float32) for track in music(rng)]
    space = Space.fit(DataConfig(components=3), latents)
    assert space.dim == 3
    x = space.standard(np.concatenate(latents))
    np.testing.assert_allclose(np.cov(x.T), np.eye(3), atol=1e-3)
    again = Space.fit(DataConfig(components=3), latents[::-1])
    np.testing.assert_allclose(np.abs(again.basis), np.abs(space.basis), atol=1e-3)
    np.testing.assert_allclose(again.basis, space.basis, atol=1e-3)


def test_probabilities_are_taken_by_their_logarithm(rng: np.random.Generator) -> None:
    latents = [rng.uniform(0, 1, (1, 4)).astype(np.float32) for _ in range(50)]
    space = Space.fit(DataConfig(floor=1e-3), latents)
    logs = np.log(np.concatenate(latents) + np.float32(1e-3))
    np.testing.assert_allclose(space.mean, logs.mean(0), rtol=1e-4)


def test_a_space_is_stored_and_read(rng: np.random.Generator) -> None:
    space = Space.fit(DataConfig(components=3, floor=0.5), [np.abs(t) for t in music(rng)])
    again = Space.from_tensors(space.tensors())
    for name in ("mean", "basis", "sd", "spread", "floor", "power", "along"):
        np.testing.assert_array_equal(getattr(again, name), getattr(space, name))


# The report


def test_curves_show_whatever_a_validation_measures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    with (tmp_path / "log.csv").open("w", newline="") as file:
        rows = csv.DictWriter(file, ["step", "loss", "gradient", "rate", "distance"])
        rows.writeheader()
        rows.writerow({"step": 10, "loss": 1.0, "gradient": 0.5, "rate": 0.1, "distance": 3.0})
        rows.writerow({"step": 20, "loss": 0.9, "gradient": 0.4, "rate": 0.1, "distance": ""})
    report.curves(tmp_path)
    assert (tmp_path / "curves.png").stat().st_size > 1000
    report.bars(tmp_path / "bars.png", "systems", {"R@10": {"gdr": (2.0, 1.0, 3.0)}})
    assert (tmp_path / "bars.png").stat().st_size > 1000
    report.bars(tmp_path / "none.png", "nothing", {})
    assert not (tmp_path / "none.png").exists()


# The export


def test_a_space_whitened_along_time_keeps_its_time_mean(rng: np.random.Generator) -> None:
    along = rng.uniform(0.5, 3, (4, 2)).astype(np.float32)
    sd = np.array([2.0, 5.0], np.float32)
    space = Space(
        np.zeros(2, np.float32),
        np.eye(2, dtype=np.float32),
        sd * along[0],
        sd,
        0.0,
        0.5,
        along / along[0],
    )
    require_searchable(space)
    stored = {name: value.numpy() for name, value in statistics(space).items()}
    np.testing.assert_allclose(stored["latent_sd"], sd)
    np.testing.assert_allclose(stored["latent_along"], along, rtol=1e-5)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (DataConfig(floor=0.1), "data.floor and data.components"),
        (DataConfig(components=3), "data.floor and data.components"),
        (DataConfig(standardise=False), "needs data.standardise"),
    ],
)
def test_a_space_that_no_library_is_in_is_refused(
    data: DataConfig, said: str, rng: np.random.Generator
) -> None:
    space = Space.fit(data, [np.abs(track) for track in music(rng)])
    with pytest.raises(UsageError, match=said):
        require_searchable(space)


@pytest.mark.parametrize(
    "shape",
    [
        {"kind": "mlp", "dim": 4, "text_width": 6, "widths": (8,), "condition_width": 8},
        {
            "kind": "transformer",
            "dim": 4,
            "frames": 4,
            "patch": 2,
            "width": 8,
            "layers": 1,
            "heads": 2,
            "text_width": 6,
            "pooled_width": 5,
        },
    ],
)
def test_a_written_network_is_compared_by_what_it_answers(shape: dict[str, object]) -> None:
    one = build(shape).eval()
    for value in one.parameters():
        nn.init.normal_(value, std=0.3)
    same, other = build(shape).eval(), build(shape).eval()
    same.load_state_dict({name: v.half().float() for name, v in one.state_dict().items()})
    assert difference(one, one) == 0
    assert difference(one, same) < 1e-3
    assert difference(one, other) > 0.1
