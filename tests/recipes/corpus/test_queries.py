"""Queries: every class is asked for, and passages are ordered by all that a query wants."""

from __future__ import annotations

import numpy as np

from recipes.builtin.corpus.queries import FELT, Asked, order, queries, weights
from training.words import vocabulary as words
from training.words.people import Written

WRITTEN = queries(np.random.default_rng(0), 3000)


def test_same_seed_same_queries() -> None:
    assert queries(np.random.default_rng(0), 50) == WRITTEN[:50]


def test_queries_are_distinct_and_whole() -> None:
    texts = [asked.text for asked in WRITTEN]
    assert len(set(texts)) == 3000
    for text in texts:
        assert text == " ".join(text.split())
        assert "{" not in text
        assert "music music" not in text


def test_every_genre_and_instrument_is_asked_for() -> None:
    wanted = {name for asked in WRITTEN for name in asked.classes}
    assert set(words.GENRES) | set(words.INSTRUMENTS) | set(FELT) <= wanted


def test_what_people_type_is_among_them() -> None:
    texts = {asked.text.lower(): asked.classes for asked in WRITTEN}
    assert texts["jazz music"] == {"Jazz": 1.0}
    assert any("Angry music" in classes and "aggressive" in text for text, classes in texts.items())


def test_a_query_names_each_class_once() -> None:
    for asked in WRITTEN:
        assert len(asked.classes) == len(asked.wanted)


def test_a_query_weighs_its_classes_and_what_must_be_absent() -> None:
    names = ("Jazz", "Piano", "Singing")
    person = Written("jazz trio, no singer", {"Jazz": 3.0, "Singing": -4.0})
    np.testing.assert_allclose(weights(person, names), [0.6, 0.0, -0.8])
    both = weights(Asked("jazz piano", ("Jazz", "Piano")), names)
    np.testing.assert_allclose(both, [np.sqrt(0.5), np.sqrt(0.5), 0.0])
    z = np.array([[1.0, 0.0, 2.0], [1.0, 0.0, -2.0]], np.float32)
    (scores,) = order(z, weights(person, names)[None])
    assert scores[1] > scores[0], "the passage with a singer comes last"


def test_passages_with_all_that_is_wanted_come_first() -> None:
    z = np.array([[2.0, 2.0, 0.0], [2.5, -1.0, 0.0], [-1.0, -1.0, 5.0]], np.float32)
    (scores,) = order(z, np.array([[1.0, 1.0, 0.0]], np.float32))
    assert np.argsort(-scores).tolist() == [0, 1, 2]


def test_one_loud_fact_does_not_outweigh_the_rest() -> None:
    z = np.array([[9.0, -2.0], [2.0, 2.0]], np.float32)
    (scores,) = order(z, np.ones((1, 2), np.float32))
    assert scores[1] > scores[0]
