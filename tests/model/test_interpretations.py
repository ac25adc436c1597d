"""Draws that disagree: clusters of known directions, and the built-in model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from demo_library import indexed

from gdr_model.limits import Limits
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.search.clusters import clusters, silhouette, split
from gdr_model.search.interpretations import interpretations
from gdr_model.search.lexicon import Lexicon
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.search.why import explain
from gdr_model.steering import Steering
from gdr_model.store.library import Library
from gdr_model.types import Array, Query, Results


def cloud(direction: int, count: int, seed: int, spread: float = 0.1, dim: int = 16) -> Array:
    rng = np.random.default_rng(seed)
    return unit(np.eye(dim)[direction] + spread * rng.standard_normal((count, dim)))


def test_draws_that_agree_have_one_interpretation() -> None:
    assert split(cloud(0, 8, 1)) is None
    assert split(cloud(0, 1, 1)) is None
    assert split(np.repeat(cloud(0, 1, 1), 8, axis=0)) is None


def test_two_and_three_clusters_are_found_largest_first() -> None:
    two = np.concatenate([cloud(0, 2, 1), cloud(1, 5, 2)])
    parts = split(two)
    assert parts is not None
    assert parts.tolist() == [1, 1, 0, 0, 0, 0, 0]
    three = np.concatenate([cloud(0, 3, 1), cloud(1, 3, 2), cloud(2, 2, 3)])
    parts = split(three)
    assert parts is not None
    assert parts.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    order = np.array([7, 0, 5, 3, 1, 6, 2, 4])
    mixed = split(three[order])
    assert mixed is not None
    assert [set(order[mixed == part]) for part in (0, 1, 2)] in (
        [{0, 1, 2}, {3, 4, 5}, {6, 7}],
        [{3, 4, 5}, {0, 1, 2}, {6, 7}],
    )


def test_clusters_that_are_close_together_are_one() -> None:
    near = cloud(0, 4, 1, 0.02)
    other = unit(near + 0.5 * np.eye(16, dtype=np.float32)[1])
    assert split(np.concatenate([near, other])) is None
    far = unit(near + 3 * np.eye(16, dtype=np.float32)[1])
    assert split(np.concatenate([near, far])) is not None


def test_the_silhouette_is_rousseeuws() -> None:
    rows = unit(np.array([[1, 0], [1, 0.2], [0, 1]], np.float32))
    parts = np.array([0, 0, 1])
    far = 1 - rows @ rows.T
    expected = np.mean([
        (far[0, 2] - far[0, 1]) / far[0, 2],
        (far[1, 2] - far[1, 0]) / far[1, 2],
        0.0,
    ])  # fmt: skip
    assert silhouette(rows, parts) == pytest.approx(expected)
    assert clusters(rows).tolist() in ([0, 0, 1], [1, 1, 0])


@pytest.fixture(scope="module")
def model() -> Model:
    return checkpoint.load("builtin", "cpu")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Library:
    return indexed(tmp_path_factory, model)


@pytest.fixture(scope="module")
def retriever(model: Model, library: Library) -> Retriever:
    return Retriever(model, [library], remember=64)


STEERING = Steering("sad slow strings", draws=6)


@pytest.fixture(scope="module")
def lexicon(model: Model) -> Lexicon:
    words = ("string section", "techno", "drum machine", "cello", "sad", "polka", "trance", "drum")
    return Lexicon.read(model, words)


def around(lexicon: Lexicon, word: str, count: int) -> Array:
    """Draws around the point of a word."""
    row = lexicon.rows[lexicon.words.index(word)]
    return unit(row + 0.02 * np.random.default_rng(len(word)).standard_normal((count, len(row))))


@pytest.fixture(scope="module")
def disagreeing(retriever: Retriever, lexicon: Lexicon) -> Results:
    """A query some of whose draws are of other words."""
    one, other = around(lexicon, "string section", 4), around(lexicon, "techno", 2)
    mixed = np.concatenate([one[:3], other, one[3:]])
    return retriever.answer(Query(mixed, STEERING, anchor=one[:1]), 5)


def test_each_interpretation_is_what_its_draws_find_and_is_named_by_words(
    retriever: Retriever, lexicon: Lexicon, disagreeing: Results
) -> None:
    first, second = interpretations(retriever, disagreeing, 5, None, lexicon)
    assert first.results.query.draws == (0, 1, 2, 5)
    assert second.results.query.draws == (3, 4)
    vectors = disagreeing.query.vectors
    alone = retriever.answer(replace(disagreeing.query, vectors=vectors[3:5], anchor=None), 5)
    assert second.results.hits == alone.hits
    assert first.names[0] == "string section"
    assert second.names[0] == "techno"
    assert not set(first.names) & set(second.names)
    assert max(hit.votes for hit in second.results.hits) == 2, "of its own draws alone"


def test_a_filter_holds_within_an_interpretation(
    retriever: Retriever, disagreeing: Results
) -> None:
    for interpretation in interpretations(retriever, disagreeing, 5, "duration_s < 1"):
        assert interpretation.results.hits == ()
        assert interpretation.names == ()


def test_clear_words_have_no_interpretations(retriever: Retriever, lexicon: Lexicon) -> None:
    clear = Query(around(lexicon, "techno", 6), STEERING)
    assert interpretations(retriever, retriever.answer(clear, 5), 5, None, lexicon) == ()
    contrastive = retriever.search(STEERING, 5, method="contrastive")
    assert interpretations(retriever, contrastive, 5) == ()


def test_a_genre_that_most_hits_of_one_interpretation_have_comes_first(
    retriever: Retriever, disagreeing: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, answers = retriever.answer, iter(["jazz", "techno"])

    def tagged(query: Query, k: int, where: str | None, *, limits: Limits) -> Results:
        found, genre = plain(query, k, where, limits=limits), next(answers)
        hits = [replace(hit, track=replace(hit.track, genre=genre)) for hit in found.hits[:4]]
        return replace(found, hits=(*hits, *found.hits[4:]))

    monkeypatch.setattr(retriever, "answer", tagged)
    names = [interpretation.names for interpretation in interpretations(retriever, disagreeing, 5)]
    assert names == [("jazz",), ("techno",)]


def test_why_is_answered_within_an_interpretation(retriever: Retriever) -> None:
    steering = Steering("night", draws=8, steps=6)
    whole = retriever.search(steering, 3)
    part = replace(whole.query, vectors=whole.query.vectors[[1, 4]], anchor=None, draws=(1, 4))
    for hit in retriever.answer(part, 3).hits:
        why = explain(retriever, part, hit)
        assert why.score == pytest.approx(hit.score, abs=1e-5)
        assert all(push.tower == 0 for push in why.pushes)
