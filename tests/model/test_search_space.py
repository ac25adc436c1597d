"""The search space: unit vectors, whitening, and words as points in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gdr_model.search import vocabulary
from gdr_model.search.lexicon import Lexicon
from gdr_model.search.whitening import Whitening, unit
from gdr_model.types import Array

DIM = 6
values = st.floats(-10, 10, width=32)
matrices = arrays.arrays(np.float32, st.tuples(st.integers(1, 8), st.just(DIM)), elements=values)
powers = st.floats(0, 1)


def plain(power: float = 0.5) -> Whitening:
    return Whitening(np.full(DIM, 2, np.float32), np.arange(1, DIM + 1, dtype=np.float32), power)


@given(matrices)
def test_unit_rows_have_length_one_and_zero_stays_zero(rows: Array) -> None:
    lengths = np.linalg.norm(unit(rows).astype(np.float64), axis=1)
    zero = np.linalg.norm(rows, axis=1) < 1e-6
    np.testing.assert_allclose(lengths[~zero], 1, atol=1e-5)
    assert np.isfinite(unit(rows)).all()
    assert unit(rows).dtype == np.float32


@given(matrices, st.floats(0.125, 8, width=32))
def test_whitening_is_the_formula_and_ignores_the_length_of_what_is_left(
    rows: Array, scale: float
) -> None:
    whitening = plain()
    expected = (rows.astype(np.float64) - 2) / np.sqrt(np.arange(1, DIM + 1))
    norms = np.linalg.norm(expected, axis=1, keepdims=True)
    far = norms[:, 0] > 1e-3
    np.testing.assert_allclose(whitening.apply(rows)[far], expected[far] / norms[far], atol=1e-4)
    farther = 2 + scale * (rows - 2)
    np.testing.assert_allclose(whitening.apply(farther)[far], whitening.apply(rows)[far], atol=1e-3)


def test_power_zero_only_centres_and_power_one_evens_out_every_dimension() -> None:
    sd = np.array([0.1, 1, 10, 1, 1, 1], np.float32)
    rows = np.random.default_rng(0).standard_normal((5000, DIM)).astype(np.float32) * sd + 3
    mean = np.full(DIM, 3, np.float32)
    shares = [Whitening(mean, sd, power).apply(rows).var(axis=0) for power in (0.0, 0.5, 1.0)]
    assert shares[0].argmax() == 2
    assert shares[0].max() / shares[0].min() > shares[1].max() / shares[1].min() > 2
    assert shares[2].max() / shares[2].min() < 1.2


@pytest.mark.parametrize("shape", [(DIM,), (2, DIM), (2, 3, DIM)])
def test_every_leading_dimension_is_kept(shape: tuple[int, ...]) -> None:
    assert plain().apply(np.ones(shape, np.float32)).shape == shape


def test_a_fingerprint_changes_with_everything_that_moves_a_point() -> None:
    one = plain()
    assert one.fingerprint == plain().fingerprint
    moved = [
        Whitening(one.mean + 1, one.sd, one.power),
        Whitening(one.mean, one.sd * 2, one.power),
        Whitening(one.mean, one.sd, 0.25),
    ]
    assert len({one.fingerprint, *(other.fingerprint for other in moved)}) == 4


@given(matrices, st.integers(1, 10))
def test_the_nearest_words_are_those_of_a_full_sort(rows: Array, count: int) -> None:
    words = tuple(f"word {n}" for n in range(len(rows)))
    lexicon, point = Lexicon(words, unit(rows)), unit(np.arange(1, DIM + 1, dtype=np.float32))
    near = lexicon.nearest(point, count)
    cosines = lexicon.rows @ point
    order = sorted(range(len(words)), key=lambda row: (-cosines[row], row))[:count]
    assert [word for word, _ in near] == [words[row] for row in order]
    np.testing.assert_allclose([cosine for _, cosine in near], cosines[order], atol=1e-6)


@given(matrices)
def test_words_that_set_a_point_apart_are_nearer_to_it_than_to_the_others(rows: Array) -> None:
    words = tuple(f"word {n}" for n in range(len(rows)))
    lexicon = Lexicon(words, unit(rows))
    point, *others = unit(np.eye(DIM, dtype=np.float32))[:3]
    near = dict(zip(words, lexicon.rows @ point, strict=True))
    floor = np.quantile(list(near.values()), 0.75)
    for word, lead in lexicon.apart(point, others, 5):
        row = lexicon.rows[words.index(word)]
        assert lead > 0
        assert lead == pytest.approx(near[word] - max(row @ other for other in others), abs=1e-6)
        assert near[word] >= floor - 1e-6


def test_the_vocabulary_has_every_word_once_and_nothing_but_words() -> None:
    words = vocabulary.WORDS
    assert len(words) == len(set(words)) > 200
    for word in words:
        assert word == word.strip()
        assert word.isprintable()
        assert 2 <= len(word) <= 30
