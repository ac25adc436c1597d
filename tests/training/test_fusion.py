"""Fusing draws: against rankings written out, and the ratio against Gaussians' own densities."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.errors import UsageError
from gdr_model.search.clusters import clusters
from training.evaluation.fusion import Drawn, fused, ratio
from training.evaluation.interpretations import ambiguity, best_interpretation, rank_correlation
from training.runs.space import Space


def plain(dim: int) -> Space:
    one = np.ones(dim, np.float32)
    return Space(0 * one, np.eye(dim, dtype=np.float32), one, one, 0.0, 0.0)


def drawn(draws: np.ndarray) -> Drawn:
    dim = draws.shape[2]
    return Drawn(draws.astype(np.float32), draws.mean(1), np.full(dim, 0.25, np.float32))


def test_the_ratio_is_the_difference_of_log_densities_but_for_what_all_share() -> None:
    rng = np.random.default_rng(0)
    mean, x = rng.standard_normal((2, 3)), rng.standard_normal((5, 3))
    spread = np.array([0.3, 0.5, 0.9])

    def log_density(x: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
        return (-((x - mean) ** 2) / (2 * spread) - np.log(2 * np.pi * spread) / 2).sum(-1)

    wanted = log_density(x[None], mean[:, None], spread) - log_density(x, 0 * x, np.ones(3))
    found = ratio(mean.astype(np.float32), x.astype(np.float32), spread)
    np.testing.assert_allclose(np.diff(found), np.diff(wanted), atol=1e-5)


@pytest.mark.parametrize("rule", ["mean", "scores", "rrf", "max", "anchor", "density", "ratio"])
def test_every_rule_ranks_what_all_draws_point_at_first(rule: str) -> None:
    draws = np.array([[[1.0, 0.1], [1.0, -0.1]]])
    gallery = np.array([[0, 1], [1, 0], [-1, 0]], np.float32)
    assert fused(drawn(draws), gallery, plain(2), rule)[0].argmax() == 1


def test_max_finds_either_of_two_interpretations_and_mean_what_lies_between() -> None:
    draws = np.array([[[1.0, 0], [0, 1]]])
    gallery = np.array([[1, 0], [0, 1], [0.8, 0.8]], np.float32)
    assert fused(drawn(draws), gallery, plain(2), "max")[0].argsort()[0] == 2
    assert fused(drawn(draws), gallery, plain(2), "mean")[0].argmax() == 2


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown fusion 'vote'"):
        fused(drawn(np.ones((1, 2, 2))), np.ones((2, 2), np.float32), plain(2), "vote")


def test_interpretations_part_two_directions() -> None:
    draws = np.array([[1, 0.1], [1, 0], [0, 1], [0.1, 1], [1, -0.1]], np.float32)
    parts = clusters(draws)
    assert parts[0] == parts[1] == parts[4] != parts[2] == parts[3]
    gallery = np.eye(2, dtype=np.float32)
    assert sorted(best_interpretation(draws, gallery, parts).argmax(1).tolist()) == [0, 1]
    assert clusters(draws[:1]).tolist() == [0]


def test_ambiguity_is_zero_where_draws_agree_and_one_where_they_are_orthogonal() -> None:
    np.testing.assert_allclose(ambiguity(np.array([[[1, 0], [1, 0]], [[1, 0], [0, 1.0]]])), [0, 1])


def test_rank_correlation() -> None:
    a = np.array([1.0, 2, 3, 4])
    assert rank_correlation(a, np.exp(a)) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)
    assert rank_correlation(a, np.ones(4)) == 0
