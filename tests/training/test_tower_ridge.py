"""The tower and ridge on made-up words whose right answer is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from gdr_model.search.whitening import unit
from training.evaluation.ridge import Ridge, best_alpha
from training.retrievers.tower import TEMPERATURE, TowerBatch, contrast, train_tower

WORDS, POINTS, DIM = 12, 6, 8


@dataclass(frozen=True)
class Dictionary:
    """Word i means point i; the other words are queries that two points answer, one better."""

    asked: bool = False
    points: int = POINTS

    def batch(self, step: int) -> TowerBatch:
        words = torch.eye(WORDS)
        rows = torch.randperm(POINTS, generator=torch.Generator().manual_seed(step))
        points = torch.eye(POINTS, DIM)[rows]
        if not self.asked:
            return TowerBatch(words[rows], points)
        order = torch.zeros(POINTS, POINTS)
        for query in range(POINTS):
            order[query, rows == (query + 1) % POINTS] = 5.0
        return TowerBatch(words[rows], points, words[POINTS:], order)


def test_the_tower_learns_which_point_a_caption_means() -> None:
    tower = train_tower(Dictionary(), 60, 0)
    with torch.inference_mode():
        scores = tower(torch.eye(WORDS)[:POINTS]) @ torch.eye(POINTS, DIM).T
    assert scores.argmax(1).tolist() == list(range(POINTS))
    assert not tower.training


def test_the_tower_learns_the_order_asked_for() -> None:
    tower = train_tower(Dictionary(asked=True), 80, 0)
    with torch.inference_mode():
        scores = tower(torch.eye(WORDS)[POINTS:]) @ torch.eye(POINTS, DIM).T
    assert scores.argmax(1).tolist() == [(query + 1) % POINTS for query in range(POINTS)]


def test_the_tower_is_a_function_of_seed_and_leaves_the_callers_randomness() -> None:
    before = torch.random.get_rng_state()
    seen: list[tuple[int, float]] = []
    one = train_tower(Dictionary(), 5, 0, lambda step, loss: seen.append((step, loss)))
    assert torch.equal(before, torch.random.get_rng_state())
    assert [step for step, _ in seen] == [1, 2, 3, 4, 5]
    two, other = train_tower(Dictionary(), 5, 0), train_tower(Dictionary(), 5, 1)
    weights = [t.state_dict()["members.0.1.weight"] for t in (one, two, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_captions_of_one_track_are_both_right() -> None:
    point = torch.nn.functional.normalize(torch.ones(1, DIM), dim=1)

    class Perfect(torch.nn.Module):
        def forward(self, pooled: torch.Tensor) -> torch.Tensor:
            return pooled

    points = torch.cat([point, point, -point])
    value = contrast(Perfect(), TowerBatch(points, points))  # type: ignore[arg-type]
    # Each of the two shares its probability with the other: log 2 for two rows of three.
    wrong = np.exp(-2 / TEMPERATURE)
    expected = 2 * (2 * np.log(2 + wrong) + np.log(1 + 2 * wrong)) / 3
    assert float(value) == pytest.approx(expected, rel=1e-4)


def test_ridge_without_a_penalty_is_least_squares() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((200, 5)), rng.standard_normal((5, 3))
    y = (x @ weight + 2).astype(np.float32)
    fitted = Ridge.solve(x.astype(np.float32), y, np.ones(200), 1e-9)
    np.testing.assert_allclose(fitted.weight, weight, atol=1e-4)
    np.testing.assert_allclose(fitted(x.astype(np.float32)), y, atol=1e-4)


def test_a_weight_of_three_is_three_rows() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((10, 3)).astype(np.float32)
    y = rng.standard_normal((10, 2)).astype(np.float32)
    shares = np.ones(10)
    shares[0] = 3
    again = np.r_[0, 0, np.arange(10)]
    a = Ridge.solve(x, y, shares, 2.0)
    b = Ridge.solve(x[again], y[again], np.ones(12), 2.0)
    np.testing.assert_allclose(a.weight, b.weight, atol=1e-6)


def test_the_penalty_is_chosen_by_how_noisy_the_captions_are() -> None:
    rng = np.random.default_rng(1)
    points = unit(rng.standard_normal((60, 6)).astype(np.float32))
    owner = np.repeat(np.arange(60), 2)
    clean = points[owner] @ rng.standard_normal((6, 80))
    chosen = [
        best_alpha(
            (clean + noise * rng.standard_normal(clean.shape)).astype(np.float32),
            points,
            owner,
            np.ones(120),
            unit,
            0,
            alphas=(0.1, 100.0),
        )
        for noise in (0.01, 2.0)
    ]
    assert chosen == [0.1, 100.0]
