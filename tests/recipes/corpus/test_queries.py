"""Queries: every class is asked for, and passages are ordered by all that a query wants."""

from __future__ import annotations

import numpy as np

from recipes.builtin.corpus.queries import FELT, order, queries
from training.words import vocabulary as words

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
    assert texts["jazz music"] == ("Jazz",)
    assert any("Angry music" in classes and "aggressive" in text for text, classes in texts.items())


def test_a_query_names_each_class_once() -> None:
    for asked in WRITTEN:
        assert len(set(asked.classes)) == len(asked.classes)


def test_passages_with_all_that_is_wanted_come_first() -> None:
    z = np.array([[2.0, 2.0, 0.0], [2.5, -1.0, 0.0], [-1.0, -1.0, 5.0]], np.float32)
    (scores,) = order(z, [(0, 1)])
    assert np.argsort(-scores).tolist() == [0, 1, 2]


def test_one_loud_fact_does_not_outweigh_the_rest() -> None:
    z = np.array([[9.0, -2.0], [2.0, 2.0]], np.float32)
    (scores,) = order(z, [(0, 1)])
    assert scores[1] > scores[0]
