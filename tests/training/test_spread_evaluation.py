"""Rolls and their rivals, on lists whose figures are known."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gdr_model.errors import UsageError
from training.evaluation.spread import fusions, rivals
from training.evaluation.spread.frontier import Frontier, more_moods, more_precise
from training.evaluation.spread.lists import Figures, Judge

CAPTIONS = ("piano", "happy music", "jazz music")


@pytest.fixture
def judge() -> Judge:
    """60 tracks in three groups; k is 4."""
    right = np.zeros((3, 60), np.bool_)
    right[0, :20] = right[1, 10:30] = right[2, :5] = True
    points = np.eye(60, dtype=np.float32)
    return Judge.of(CAPTIONS, right, points)


def test_lists_are_right_new_wide_and_apart(judge: Judge) -> None:
    assert judge.k == 4
    assert judge.asked.tolist() == [0, 1, 2]
    lists = np.array([[[0, 1, 40, 41], [0, 1, 20, 21]]] * 3)
    figures = judge.figures(lists)
    np.testing.assert_allclose(figures.precision, [0.5, 0.25, 0.5])
    np.testing.assert_allclose(figures.new, 0.5)
    np.testing.assert_allclose(figures.moods, [0.5, 0, 0.5], err_msg="not what was asked for")
    np.testing.assert_allclose(figures.labels, [1.5, 2, 1.5])
    np.testing.assert_allclose(figures.apart, 1.0)


def test_answers_are_as_far_apart_as_their_tracks() -> None:
    right = np.zeros((2, 60), np.bool_)
    right[0, :20] = right[1, 20:40] = True
    points = np.eye(60, dtype=np.float32)
    points[20:40] = points[20]
    judge = Judge.of(CAPTIONS[:2], right, points)
    np.testing.assert_allclose(judge.answers_apart(), [1, 0], atol=1e-6)


def test_a_set_without_labels_is_refused() -> None:
    with pytest.raises(UsageError, match="no caption that enough tracks share"):
        Judge.of(CAPTIONS, np.eye(3, 60, dtype=np.bool_), np.eye(60, dtype=np.float32))


def figures(precision: float, new: float, moods: float = 1.0) -> Figures:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.01, 50)
    return Figures(precision + noise, np.full(50, new), np.full(50, moods), noise, noise)


def test_ways_are_compared_where_they_are_equally_new() -> None:
    ours = Frontier("ours", {"a": figures(0.8, 0.2), "b": figures(0.6, 0.6)})
    theirs = Frontier("theirs", {"a": figures(0.7, 0.0), "b": figures(0.5, 0.5)})
    found = more_precise(ours, theirs, 0.4)
    assert not isinstance(found, str)
    assert found.value == pytest.approx(0.7 - 0.54)
    assert found.low <= found.value <= found.high
    assert more_precise(ours, theirs, 0.55) == "–", "theirs was never measured there"
    fixed = more_precise(ours, figures(0.75, 0.0).precision, 0.4)
    assert not isinstance(fixed, str)
    assert fixed.value == pytest.approx(-0.05)


def test_moods_are_compared_at_the_precision_of_the_tower() -> None:
    ours = Frontier("ours", {"a": figures(0.8, 0.2, 4.0), "b": figures(0.6, 0.6, 6.0)})
    found = more_moods(ours, figures(0.7, 0.0, 2.5))
    assert found.value == pytest.approx(2.0)


def test_plackett_luce_draws_the_first_with_the_softmax_of_its_score() -> None:
    random, scores = np.random.default_rng(0), np.array([0.0, 0.05, 0.1], np.float32)
    firsts = [rivals.plackett_luce(scores, 0.05, 2, random)[0] for _ in range(4000)]
    expected = np.exp(scores / 0.05) / np.exp(scores / 0.05).sum()
    np.testing.assert_allclose(np.bincount(firsts, minlength=3) / 4000, expected, atol=0.03)


def test_the_k_dpp_draws_sets_by_their_determinant() -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(5, 3)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    scores = np.array([0.0, 0.02, 0.04, 0.01, 0.03], np.float32)
    quality = np.exp(scores / (2 * 0.03))
    alike = quality[:, None] * (points @ points.T) * quality
    sets = list(combinations(range(5), 2))
    expected = np.array([np.linalg.det(alike[np.ix_(s, s)]) for s in sets])
    counts = dict.fromkeys(sets, 0)
    for _ in range(4000):
        a, b = sorted(rivals.k_dpp(scores, points, 0.03, 2, random).tolist())
        counts[a, b] += 1
    found = np.array([counts[s] for s in sets]) / 4000
    np.testing.assert_allclose(found, expected / expected.sum(), atol=0.03)


def test_mmr_prefers_what_is_unlike_the_list_so_far() -> None:
    points = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    scores = np.array([0.9, 0.8, 0.6])
    assert rivals.mmr(scores, points, 0.0, 3).tolist() == [0, 1, 2]
    assert rivals.mmr(scores, points, 0.5, 3).tolist() == [0, 2, 1]


def test_making_room_lowers_what_a_look_has_shown() -> None:
    scores = np.arange(24, 0, -1, np.float32) / 100
    lists = rivals.making_room(scores, 0.5, 2, rolls=2)
    assert lists.tolist() == [[20, 21], [16, 17]], "the first 20 count as shown, as for rolls"


def test_the_fusions_list_what_they_say() -> None:
    rng = np.random.default_rng(0)
    points = np.eye(6, dtype=np.float32)
    by_draw = np.array([[0.9, 0.8, 0, 0, 0, 0], [0, 0, 0, 0, 0.9, 0.8]], np.float32)
    scores = np.array([0.5, 0.45, 0.1, 0.1, 0.3, 0.2], np.float32)
    assert set(fusions.coverage(scores, by_draw, 4.0, 2).tolist()) == {0, 4}
    assert set(fusions.coverage(scores, by_draw, 0.0, 2).tolist()) == {0, 1}
    twins = points.copy()
    twins[1] = twins[0]
    assert set(fusions.greedy_dpp(scores, twins, 0.2, 2).tolist()) == {0, 4}
    apart = np.repeat(np.eye(2, 6, dtype=np.float32), 4, axis=0)
    draws = apart + rng.normal(0, 0.01, apart.shape).astype(np.float32)
    by_eight = np.repeat(by_draw, 4, axis=0)
    assert set(fusions.quota(draws, scores, by_eight, 2).tolist()) == {0, 4}
