"""Baselines against closed forms and made-up sets in which the answer is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gdr_model.errors import UsageError
from gdr_model.search.whitening import unit
from training.data.corpus import Corpus
from training.data.texts import Texts
from training.evaluation import baselines, fitted
from training.evaluation.ridge import ALPHAS
from training.evaluation.subjects import TrainedRun
from training.retrievers.fused import tower_of
from training.runs.batches import Pairs
from training.runs.config import RunConfig
from training.runs.known import SPLITS
from training.runs.space import Space
from training.runs.state import Finished, RunError
from training.runs.train import network


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def pairs(tiny: RunConfig, corpus: Corpus) -> Pairs:
    """The training tracks of fold 0."""
    trained = corpus.divided("0", tiny.data.validation).trained
    kept = [t for t, ours in zip(corpus.latents, trained, strict=True) if ours]
    return Pairs(corpus, "0", Space.fit(tiny.data, kept), tiny, 1)


def space_of(corpus: Corpus, config: RunConfig) -> Space:
    return Space.fit(config.data, corpus.latents)


def test_alpha_is_chosen_among_the_offered(pairs: Pairs, tiny: RunConfig, corpus: Corpus) -> None:
    for written in (False, True):
        found = baselines.ridge(pairs, space_of(corpus, tiny), written=written)
        assert found.alpha in ALPHAS
        assert found(corpus.texts.pooled).shape == (40, 4)


def test_trained_baselines_are_functions_of_the_seed(
    pairs: Pairs, tiny: RunConfig, corpus: Corpus
) -> None:
    space, schedule = space_of(corpus, tiny), tiny.diffusion.schedule
    text = corpus.texts.of(np.arange(3), states=False)
    a, b = (
        baselines.regress(baselines.regression(pairs, space, corpus, tiny), text, schedule)
        for _ in range(2)
    )
    np.testing.assert_array_equal(a, b)
    assert a.shape == (3, 4)
    other = replace(tiny, optimiser=replace(tiny.optimiser, seed=1))
    pooled = torch.from_numpy(corpus.texts.pooled)
    first, second, third = (
        tower_of(pairs, space, config)(pooled).detach().numpy() for config in (tiny, tiny, other)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)


def test_a_regression_answers_each_prompt_alone(
    pairs: Pairs, tiny: RunConfig, corpus: Corpus
) -> None:
    net = baselines.regression(pairs, space_of(corpus, tiny), corpus, tiny, contrast=0.5)
    schedule = tiny.diffusion.schedule
    rows = np.arange(len(corpus.captions)).repeat(2)  # more than are answered at once
    together = baselines.regress(net, corpus.texts.of(rows, states=False), schedule)
    alone = baselines.regress(net, corpus.texts.of(rows[-1:], states=False), schedule)
    np.testing.assert_allclose(together[-1:], alone, atol=1e-6)
    np.testing.assert_array_equal(together[::2], together[1::2])


def trained_run(config: RunConfig, corpus: Corpus, folder: Path) -> TrainedRun:
    """An untrained network in the folder of a run, with the splits it was not trained on."""
    torch.manual_seed(0)
    space = space_of(corpus, config)
    run = Finished(config, "1", network(config, space.dim, corpus.texts), space)
    folder.mkdir()
    corpus.splits.save(folder / SPLITS)
    return TrainedRun(folder, run, corpora={(config.data, False): corpus})


def test_every_baseline_has_a_unit_point_for_every_caption(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path
) -> None:
    trained = trained_run(tiny, corpus, tmp_path / "run")
    asked = trained.division.asked
    text = corpus.texts.of(corpus.caption_of[asked], False)
    found = fitted.points(trained, text, fitted.NAMES)
    assert list(found) == [
        baselines.RIDGE,
        baselines.RIDGE_WRITTEN,
        baselines.REGRESSION,
        baselines.CONTRAST,
    ]
    for points in found.values():
        assert points.shape == (asked.sum(), trained.run.space.dim)
        np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-5)
    plain = replace(tiny, diffusion=replace(tiny.diffusion, nt_xent=0.0))
    plain = replace(plain, captions=replace(plain.captions, written=0, written_share=0.0))
    fewer = fitted.points(trained_run(plain, corpus, tmp_path / "plain"), text, fitted.NAMES)
    assert list(fewer) == [baselines.RIDGE, baselines.REGRESSION]
    scores = baselines.class_scores(trained.run, corpus, trained.division)
    assert scores is not None
    assert scores.shape == (asked.sum(), len(corpus.tracks))
    unnamed = replace(corpus, labels=())
    assert baselines.class_scores(trained.run, unnamed, trained.division) is None


def test_baselines_are_fitted_once_and_kept_with_the_run(
    tiny: RunConfig, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = trained_run(tiny, corpus, tmp_path / "run")
    text = corpus.texts.of([0, 1, 2], False)
    assert fitted.points(trained, text, ()) == {}
    assert not (tmp_path / "run" / "baselines").exists()
    only = fitted.points(trained, text, ("ridge",))
    assert list(only) == [baselines.RIDGE, baselines.RIDGE_WRITTEN]
    first = fitted.points(trained, text, ("ridge", "regression"))
    for fit in ("ridge", "regression"):
        monkeypatch.setattr(baselines, fit, None)  # nothing is fitted a second time
    second = fitted.points(trained, text, ("ridge", "regression"))
    for name, points in first.items():
        np.testing.assert_array_equal(second[name], points)
    kept = tmp_path / "run" / "baselines" / "regression.safetensors"
    kept.write_bytes(kept.read_bytes()[:100])
    with pytest.raises(RunError, match="cannot be read"):
        fitted.points(trained, text, ("regression",))


@pytest.mark.parametrize(("steps", "wanted"), [(400, 400), (10_000, 2000), (100_000, 4000)])
def test_a_regression_costs_a_fraction_of_a_long_run(
    tiny: RunConfig, steps: int, wanted: int
) -> None:
    config = replace(tiny, optimiser=replace(tiny.optimiser, steps=steps))
    assert baselines.regression_steps(config) == wanted


def test_baselines_are_named_or_refused() -> None:
    assert fitted.chosen("all") == fitted.NAMES
    assert fitted.chosen("none") == ()
    assert fitted.chosen("ridge, teacher") == ("teacher", "ridge")
    with pytest.raises(UsageError, match="there is no baseline 'tree'; use all, none"):
        fitted.chosen("ridge,tree")


def test_class_names_find_the_class_they_name() -> None:
    names = Texts(np.eye(3, 5, dtype=np.float32), np.ones((3, 1), np.bool_), np.zeros((3, 5)))
    logs = np.log(np.array([[0.9, 0.1, 0.1], [0.1, 0.9, 0.1], [0.1, 0.1, 0.9]], np.float32))
    asked = np.array([[0, 1, 0, 0, 0.1], [0.9, 0.1, 0, 0, 0]], np.float32)
    scores = baselines.class_names(asked, names, asked, logs, np.ones(3, np.bool_))
    assert scores.argmax(1).tolist() == [1, 0]


def test_mixing_puts_both_on_one_scale() -> None:
    a = np.array([[0, 1, 2, 3]], np.float32)
    np.testing.assert_allclose(baselines.mixed(a, 1000 * a), baselines.mixed(a, a), atol=1e-5)


def test_arithmetic_subtracts_directions(rng: np.random.Generator) -> None:
    q, n = np.array([[1, 1, 0]], np.float32), np.array([[0, 5, 0]], np.float32)
    moved = baselines.arithmetic(q, [(n, -np.sqrt(0.5))])
    np.testing.assert_allclose(moved, unit(np.array([[1, 0, 0]], np.float32)), atol=1e-6)
