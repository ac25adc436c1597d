"""Recalls, chance and fusion against input whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.builtin.report.scores import Recall, chance, fuse
from training.metrics.retrieval import ranks


def test_chance_is_what_a_random_order_gives() -> None:
    correct = np.zeros((2, 20), dtype=bool)
    correct[0, :1] = True
    correct[1, :4] = True
    rng = np.random.default_rng(0)
    found = [ranks(rng.random((2, 20)).astype(np.float32), correct) <= 5 for _ in range(4000)]
    assert chance(correct, 5) == pytest.approx(float(np.mean(found)), abs=0.02)


def test_intervals_hold_the_value() -> None:
    recall = Recall.of(np.array([1.0, 3.0, 7.0, 40.0] * 20))
    assert recall.at == {1: 25.0, 5: 50.0, 10: 75.0}
    for k, value in recall.at.items():
        assert recall.low[k] < value < recall.high[k]
    assert recall.median_rank == 5


def test_fusion() -> None:
    draws = np.array([[0.9, 0.5, 0.1], [0.0, 0.5, 0.4]], np.float32)
    assert fuse(draws, "mean").argmax() == 1
    assert fuse(draws, "max").argmax() == 0
    assert fuse(draws, "rrf").argmax() == 1
    with pytest.raises(ValueError, match="unknown fusion"):
        fuse(draws, "median")
