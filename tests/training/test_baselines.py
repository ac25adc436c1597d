"""Baselines against closed forms and made-up sets in which the answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gdr_model.search.whitening import unit
from training.data.corpus import Corpus
from training.data.texts import Texts
from training.evaluation import baselines
from training.runs.batches import Pairs
from training.runs.config import RunConfig
from training.runs.space import Space


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def pairs(tiny: RunConfig, corpus: Corpus) -> Pairs:
    """The training tracks of fold 0."""
    tracks, _ = corpus.held_out("0")
    kept = [t for t, away in zip(corpus.latents, tracks, strict=True) if not away]
    return Pairs(corpus, "0", Space.fit(tiny.data, kept), tiny, 1)


def space_of(corpus: Corpus, config: RunConfig) -> Space:
    return Space.fit(config.data, corpus.latents)


def test_ridge_finds_a_linear_map_and_its_mean(rng: np.random.Generator) -> None:
    x, weight = rng.standard_normal((200, 5)), rng.standard_normal((5, 3))
    y = (x @ weight + 2).astype(np.float32)
    fitted = baselines.Ridge.solve(x.astype(np.float32), y, np.ones(200), 1e-9)
    np.testing.assert_allclose(fitted.weight, weight, atol=1e-4)
    np.testing.assert_allclose(fitted(x.astype(np.float32)), y, atol=1e-4)


def test_ridge_of_a_weight_is_ridge_of_a_repeated_row(rng: np.random.Generator) -> None:
    x = rng.standard_normal((10, 3)).astype(np.float32)
    y = rng.standard_normal((10, 2)).astype(np.float32)
    shares = np.ones(10)
    shares[0] = 3
    again = np.r_[0, 0, np.arange(10)]
    a = baselines.Ridge.solve(x, y, shares, 2.0)
    b = baselines.Ridge.solve(x[again], y[again], np.ones(12), 2.0)
    np.testing.assert_allclose(a.weight, b.weight, atol=1e-6)


def test_alpha_is_chosen_among_the_offered(pairs: Pairs, tiny: RunConfig, corpus: Corpus) -> None:
    for written in (False, True):
        found = baselines.ridge(pairs, space_of(corpus, tiny), written=written)
        assert found.alpha in baselines.ALPHAS
        assert found(corpus.texts.pooled).shape == (40, 4)


def test_trained_baselines_are_functions_of_the_seed(
    pairs: Pairs, tiny: RunConfig, corpus: Corpus
) -> None:
    space = space_of(corpus, tiny)
    text = corpus.texts.of(np.arange(3), states=False)
    a, b = (baselines.regression(pairs, space, corpus, tiny).regress(text) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert a.shape == (3, 1, 4)
    first, second = (baselines.contrastive(pairs, space, tiny) for _ in range(2))
    other = replace(tiny, optimiser=replace(tiny.optimiser, seed=1))
    third = baselines.contrastive(pairs, space, other)
    gallery = np.eye(4, dtype=np.float32)
    rows = [
        baselines.tower_scores(t, corpus.texts.pooled, gallery, space)
        for t in (first, second, third)
    ]
    np.testing.assert_array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])


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
