"""Metrics against reference values, closed forms, and every kind of input that is no input."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from gdr_model.errors import UsageError
from training import metrics
from training.metrics import diversity, fidelity

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def golden():
    shared = os.environ.get("GDR_SHARED")
    if not shared:
        pytest.skip("GDR_SHARED is unset: the reference values are not here")
    folder = Path(shared) / "golden" / "metrics"
    with np.load(folder / "io.npz") as arrays:
        values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return {name: arrays[name] for name in arrays}, values


def figures_of(scores, correct):
    """The figures of a table of results."""
    ranks = metrics.ranks(scores, correct)
    return {
        **{f"R@{k}": metrics.recall_at(ranks, k) for k in (1, 2, 3, 5, 10)},
        "median_rank": metrics.median_rank(ranks),
        "medr_percent": metrics.medr_percent(ranks, scores.shape[1]),
        "map": metrics.average_precision(scores, correct).mean(),
    }


def near(value, *, rel=1e-8, abs=1e-8):
    return pytest.approx(value, rel=rel, abs=abs)


# Reference values


def test_frechet_distances_equal_the_reference(golden) -> None:
    arrays, values = golden
    found = metrics.frechet(arrays["real"], arrays["fake"])
    assert found.value == near(values["frechet_eigh"])
    assert (found.n_real, found.n_drawn, found.dim) == (60, 80, 8)
    assert metrics.frechet(arrays["real"], arrays["real"]).value == near(0)
    # Rank-deficient: 40 digits give 12.378891857707254, the reference's own rounding is 1e-7.
    small = metrics.frechet(arrays["fd_small_a"], arrays["fd_small_b"]).value
    assert small == near(values["frechet_n_lt_d_eigh"], abs=0)
    assert small == near(12.378891857707254, rel=1e-13)


def test_diversity_equals_the_reference(golden) -> None:
    arrays, values = golden
    draws = arrays["generated_unit"]
    assert metrics.mics(draws) == near(values["mics"])
    assert diversity.mics_per_prompt(draws) == near(values["mics_per_prompt"])
    assert metrics.mics(arrays["generated"]) == near(values["mics"]), "length does not matter"
    assert metrics.mivs(draws) == near(values["mivs"])
    assert diversity.vendi_per_prompt(draws) == near(values["vendi_per_prompt"])
    assert diversity.vendi_per_prompt(draws, 2) == near(values["vendi_q2_per_prompt"])
    assert metrics.vendi(draws.reshape(30, 12)) == near(values["vendi_all"])
    means = arrays["generated_sequences"].mean(axis=2)
    # The authors' own functions work in single precision.
    assert metrics.mics(means) == near(values["authors_mics_on_sequences"], rel=1e-6)
    assert metrics.mivs(means) == near(values["authors_mivs_on_sequences"], rel=1e-6)


def test_prdc_equals_the_reference(golden) -> None:
    arrays, values = golden
    assert metrics.prdc(arrays["real"], arrays["fake"]) == near(values["prdc_k5"])
    assert metrics.prdc(arrays["real"], arrays["real"]) == near(values["prdc_k5_identical"])


@pytest.mark.parametrize(
    ("suffix", "name"), [("", "one_to_one"), ("_multi", "two_captions_per_track")]
)
def test_retrieval_equals_the_reference(golden, suffix, name) -> None:
    arrays, values = golden
    expected = values[f"retrieval_{name}"]
    scores = arrays[f"similarity{suffix}"]
    wanted = arrays["caption_to_track"] if suffix else np.arange(20)
    correct = wanted[:, None] == np.arange(scores.shape[1])
    found = metrics.ranks(scores, correct)
    np.testing.assert_array_equal(found, arrays[f"rank{suffix}"])
    figures = figures_of(scores, correct)
    # The authors round the median down.
    assert np.floor(figures["median_rank"]) == expected.pop("median_rank_upstream_floor")
    # One correct track each: the mean average precision is the mean reciprocal rank.
    assert figures["map"] == near(expected.pop("mrr"))
    assert {key: figures[key] for key in expected if key in figures} == near(
        {key: value for key, value in expected.items() if key in figures}
    )
    assert set(expected) - set(figures) <= {"mean_rank", "queries", "candidates", "tied_percent"}


# Retrieval


def test_every_correct_candidate_counts() -> None:
    scores = np.array([[0.9, 0.8, 0.7, 0.6]])
    correct = np.array([[False, True, False, True]])
    assert metrics.ranks(scores, correct).tolist() == [2]
    assert metrics.average_precision(scores, correct) == near([(1 / 2 + 2 / 4) / 2])
    figures = figures_of(scores, correct)
    assert (figures["R@1"], figures["R@2"]) == (0, 100)


def test_average_precision_is_what_a_walk_down_the_list_gives() -> None:
    rng = RNG(3)
    scores, correct = rng.standard_normal((8, 30)), rng.random((8, 30)) < 0.2
    correct[:, 0] = True
    for row, right, found in zip(
        scores, correct, metrics.average_precision(scores, correct), strict=True
    ):
        walk = right[np.argsort(-row)]
        precisions = [walk[: i + 1].mean() for i in np.flatnonzero(walk)]
        assert found == near(np.mean(precisions))


def test_a_perfect_system_is_perfect() -> None:
    figures = figures_of(np.eye(7), np.eye(7, dtype=bool))
    perfect = {"R@1": 100, "median_rank": 1, "medr_percent": 100 / 7, "map": 1}
    assert {name: figures[name] for name in perfect} == near(perfect)


def test_chance_finds_ten_of_a_hundred() -> None:
    scores = RNG(0).random((4000, 100))
    correct = np.zeros((4000, 100), bool)
    correct[:, 17] = True
    figures = figures_of(scores, correct)
    assert figures["R@10"] == pytest.approx(10, abs=1.5)
    assert figures["medr_percent"] == pytest.approx(50.5, abs=2)


@pytest.mark.parametrize(("correct", "k"), [(1, 5), (4, 5), (3, 10), (18, 3), (2, 50)])
def test_chance_is_what_random_orders_give(correct: int, k: int) -> None:
    rng = np.random.default_rng(0)
    places = np.array([rng.permutation(20)[:correct].min() for _ in range(4000)])
    assert metrics.chance_at(correct, 20, k) == pytest.approx(100 * (places < k).mean(), abs=2.5)


def test_ties_favour_the_correct_candidate() -> None:
    assert metrics.ranks(np.zeros((3, 5)), np.eye(3, 5, dtype=bool)).tolist() == [1, 1, 1]


def test_a_query_without_a_correct_candidate_is_refused() -> None:
    correct = np.array([[True, False, True], [False, False, False]])
    with pytest.raises(UsageError, match="1 of 2 queries have no correct candidate"):
        metrics.ranks(np.zeros((2, 3)), correct)


# Fidelity


def gaussians(seed: int, n: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    rng = RNG(seed)
    return rng.standard_normal((n, dim)), 2 * rng.standard_normal((n, dim)) + 1


def test_frechet_tends_to_the_distance_of_the_gaussians() -> None:
    a, b = gaussians(0, 50_000, 4)
    # |m₁ - m₂|² + tr C₁ + tr C₂ - 2 tr C₁^½ C₂^½ = 4 + 4 + 16 - 2 · 4 · 2
    assert metrics.frechet(a, b).value == pytest.approx(8, rel=0.02)


def test_rotating_and_moving_both_sets_changes_no_distance() -> None:
    a, b = gaussians(1, 40, 6)
    turn = np.linalg.qr(RNG(2).standard_normal((6, 6))).Q
    for distance in (metrics.frechet, metrics.frechet_shrunk):
        moved = distance(a @ turn + 3, b @ turn + 3)
        assert moved.value == near(distance(a, b).value)


def test_shrinkage_is_that_of_the_paper() -> None:
    x = RNG(4).standard_normal((12, 5)) * np.arange(1, 6)
    c = x - x.mean(0)
    s = np.mean([np.outer(row, row) for row in c], axis=0)
    m = np.trace(s) / 5
    d2 = np.sum((s - m * np.eye(5)) ** 2) / 5
    b2 = sum(np.sum((np.outer(row, row) - s) ** 2) for row in c) / (12**2 * 5)
    assert fidelity.shrinkage(x) == near(min(b2, d2) / d2)
    assert fidelity.shrinkage(RNG(5).standard_normal((20_000, 5)) * np.arange(1, 6)) < 0.01
    assert fidelity.shrinkage(np.ones((4, 5))) == 1


def test_shrinking_takes_most_of_the_bias_of_few_rows() -> None:
    rng = RNG(6)
    a, b = rng.standard_normal((30, 64)), rng.standard_normal((30, 64))
    plain, shrunk = metrics.frechet(a, b), metrics.frechet_shrunk(a, b)
    assert shrunk.value < plain.value / 5  # the truth is 0
    assert min(shrunk.shrinkage) > 0.9
    assert plain.shrinkage == (0, 0)
    assert "N = 30 real, 30 drawn" in str(shrunk)
    assert metrics.frechet_shrunk(a, a).value == near(0)


def test_the_kernel_distance_is_unbiased_and_equals_its_definition() -> None:
    a, b = gaussians(7, 9, 3)

    def k(x, y):
        return (x @ y / 3 + 1) ** 3

    same = [k(p[i], p[j]) for p in (a, b) for i in range(9) for j in range(9) if i != j]
    other = [k(x, y) for x in a for y in b]
    expected = sum(same) / 72 - 2 * sum(other) / 81
    assert metrics.kernel_distance(a, b).value == near(expected)
    rng = RNG(8)
    equal = [metrics.kernel_distance(*rng.standard_normal((2, 20, 4))).value for _ in range(400)]
    assert abs(np.mean(equal)) < 3 * np.std(equal) / 20
    assert min(equal) < 0


# Diversity


def test_equal_draws_are_one_and_orthogonal_draws_are_many() -> None:
    equal = np.repeat(RNG(9).standard_normal((2, 1, 6)), 4, axis=1)
    assert (metrics.mics(equal), metrics.mivs(equal)) == (near(1), near(1))
    orthogonal = np.eye(4)[None]
    assert (metrics.mics(orthogonal), metrics.mivs(orthogonal)) == (near(0), near(4))
    assert metrics.vendi(np.eye(5), order=2) == near(5)


def test_prdc_of_equal_far_and_narrow_sets() -> None:
    a = RNG(10).standard_normal((50, 3)) + 100
    assert set(metrics.prdc(a, a).values()) == {1.0}
    assert set(metrics.prdc(a, a + 1000).values()) == {0.0}
    narrow = metrics.prdc(a, np.repeat(a[:1], 50, axis=0), k=5)
    assert narrow["precision"] == 1
    assert narrow["recall"] == 0
    assert narrow["coverage"] < 0.5


# Motion


def test_a_steady_turn_has_one_angle() -> None:
    at = np.arange(10) * 0.3
    turning = np.stack([np.cos(at), np.sin(at)], axis=1)[None] * 5
    assert metrics.angles(turning) == near(np.full((1, 9), 0.3))
    histogram = metrics.motion_histograms(turning, bins=10)
    assert histogram.tolist() == [[1, *[0] * 9]]
    reversal = np.array([[[1.0, 0], [-1, 0], [-1, 0]]])
    assert metrics.angles(reversal) == near(np.array([[np.pi, 0]]))
    assert metrics.motion_histograms(reversal, bins=4).tolist() == [[0.5, 0, 0, 0.5]]


def test_motion_tells_wandering_from_jumping() -> None:
    rng = RNG(11)
    noise = rng.standard_normal((3, 20, 64, 8))
    wandering, again = np.cumsum(noise[:2], axis=2)
    assert metrics.motion_frechet(wandering, again).value < 0.02
    for shrunk in (False, True):
        found = metrics.motion_frechet(wandering, noise[2], shrunk=shrunk)
        assert found.value > 0.1
        assert found.n_real == 20
    assert metrics.motion_frechet(wandering, wandering[:, :30]).value >= 0, "lengths may differ"


# Intervals


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = RNG(12)
    found = [
        metrics.interval(rng.standard_normal(60), resamples=300, level=90, seed=i)
        for i in range(200)
    ]
    covered = np.mean([i.low <= 0 <= i.high for i in found])
    assert 0.84 <= covered <= 0.95


def test_pairing_finds_a_small_difference_on_hard_and_easy_queries() -> None:
    rng = RNG(13)
    difficulty = 50 * rng.standard_normal(300)
    ours, theirs = difficulty + rng.standard_normal(300) + 0.5, difficulty
    found = metrics.difference_interval(ours, theirs, resamples=2000)
    assert 0 < found.low < 0.5 < found.high
    assert found.value == near(np.mean(ours - theirs))
    alone = metrics.interval(ours, resamples=500)
    assert alone.low < 0 < alone.high
    assert metrics.difference_interval(theirs, theirs, resamples=9).high == 0
    assert str(found).startswith(f"{found.value:.4g} [")


def test_captions_of_one_track_are_drawn_together() -> None:
    rng = RNG(14)
    values = np.repeat(rng.standard_normal(40), 10)
    tracks = [i // 10 for i in range(400)]
    alone = metrics.interval(values, resamples=2000)
    together = metrics.interval(values, groups=tracks, resamples=2000)
    assert (alone.units, together.units) == (400, 40)
    ratio = (together.high - together.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(np.sqrt(10), rel=0.15)
    # The order in which the queries come does not matter, only whose they are.
    shuffled = RNG(15).permutation(400)
    names = [f"t{i // 10}" for i in shuffled]
    mixed = metrics.interval(values[shuffled], groups=names, resamples=2000)
    assert mixed.high - mixed.low == pytest.approx(together.high - together.low, rel=0.1)


def test_a_seed_gives_the_same_interval_and_medians_have_one_too() -> None:
    ranks = RNG(16).integers(1, 100, 80)
    one, two, other = (
        metrics.interval(ranks, statistic=np.median, resamples=200, seed=s) for s in (1, 1, 2)
    )
    assert one == two
    assert (one.low, one.high) != (other.low, other.high)
    assert one.value == np.median(ranks)
    assert one.low <= one.value <= one.high


# What is no input

NAN = np.array([[0.0, np.nan], [1, 2]])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: metrics.ranks([], []), "1 axes"),
        (lambda: metrics.ranks(np.zeros((0, 3)), np.zeros((0, 3), bool)), "empty"),
        (lambda: metrics.ranks(NAN, np.eye(2, dtype=bool)), "not finite"),
        (lambda: metrics.ranks([["a"]], [[True]]), "not an array of numbers"),
        (lambda: metrics.ranks(np.eye(2), np.eye(3, dtype=bool)), "booleans of the scores' shape"),
        (lambda: metrics.ranks(np.eye(2), np.eye(2)), "correct is float64"),
        (lambda: metrics.recall_at([1, 2], 0), "recall at 0"),
        (lambda: metrics.median_rank([]), "empty"),
        (lambda: metrics.recall_at([0, 1], 5), "begin at 1"),
        (lambda: metrics.medr_percent([1], 0), "0 candidates"),
        (lambda: metrics.frechet(np.zeros((5, 3)), np.zeros((5, 4))), "3 wide"),
        (lambda: metrics.frechet_shrunk(np.zeros((1, 3)), np.zeros((5, 3))), "at least 2"),
        (lambda: metrics.kernel_distance(np.zeros(3), np.zeros((5, 3))), "1 axes"),
        (lambda: metrics.mics(np.ones((2, 1, 3))), "at least two"),
        (lambda: metrics.mivs(np.zeros((2, 2, 3))), "no direction"),
        (lambda: metrics.vendi(np.eye(3), order=0), "order 0"),
        (lambda: metrics.prdc(np.eye(5), np.eye(5)), "at least 6"),
        (lambda: metrics.prdc(np.eye(5), np.eye(5), k=0), "0 neighbours"),
        (lambda: metrics.angles(np.ones((2, 1, 3))), "do not move"),
        (lambda: metrics.motion_histograms(np.ones((2, 4, 3)), bins=1), "1 bins"),
        (lambda: metrics.interval([]), "empty"),
        (lambda: metrics.interval([1.0], level=100), "out of range"),
        (lambda: metrics.interval([1.0], resamples=0), "too few"),
        (lambda: metrics.interval([1.0], groups=["a", "b"]), "do not fit"),
        (lambda: metrics.difference_interval([1.0], [1.0, 2]), "same queries"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence(call, said) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
