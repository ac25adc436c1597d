"""Negatives: what they take from scores, by hand, and in a real library."""

from __future__ import annotations

import shutil
import weakref
from pathlib import Path

import numpy as np
import pytest

from gdr_model.diffusion import sampling
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.search.negatives.penalty import numbered, penalties
from gdr_model.search.retriever import Retriever
from gdr_model.search.why import explain
from gdr_model.steering import Slider, Steering, WeightedText
from gdr_model.store import ingest
from gdr_model.store.library import Library
from gdr_model.types import Array, Method

DEMO = Path(__file__).parents[2] / "demo"
PLAIN = Steering("music", draws=3, steps=3)
NO_DRUMS = PLAIN.but(negatives=(WeightedText("drums"),))


@pytest.fixture(scope="module")
def model() -> Model:
    return checkpoint.load("builtin", "cpu")


@pytest.fixture(scope="module")
def library(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Twenty pieces of the demo."""
    folder = tmp_path_factory.mktemp("penalty")
    music = folder / "music"
    music.mkdir()
    for song in sorted(DEMO.glob("*/*.ogg"))[::2]:
        shutil.copy(song, music)
    library = Library.open(music, create=True, store=folder / "store")
    ingest.ingest(library, model.encoder, on_progress=lambda progress: None)
    return library


@pytest.fixture
def retriever(library: Library, model: Model) -> Retriever:
    return Retriever(model, [library], remember=4)


def drums(retriever: Retriever) -> Array:
    return retriever.query(Steering("drums"), Method.CONTRASTIVE).vectors[0]


def test_the_penalty_by_hand() -> None:
    cosines = np.array([0.2, 0.0, 0.5, 0.0, -0.1], np.float32)
    wanted = np.array([0.3, 0.1, 0.2, 0.3, 0.1], np.float32)  # 0.2 on average
    c, q = cosines - cosines.mean(), wanted - wanted.mean()
    along = (c @ q) / (q @ q)
    assert along > 0
    recordings = numbered(["a", "b", "c", "c", "d"])
    for weight in (0.5, 2.0):
        squares = np.array([c[0] - along * q[0] / (1 + 2 * weight), 0, c[2], 0, 0]) ** 2
        found = penalties(cosines, wanted, weight, recordings)
        expected = weight / c.std() * squares * 2
        expected[2:4] = weight / c.std() * squares[2] * np.array([2, 1])  # drums in the recording
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_words_that_exclude_each_other_excuse_nothing() -> None:
    cosines = np.array([0.4, 0.2, -0.2, -0.4], np.float32)
    expected = 2 * np.array([0.4, 0.2, 0, 0]) ** 2 / cosines.std()
    found = penalties(cosines, -cosines, 1.0, np.arange(4))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_nothing_is_won_by_being_far_from_what_is_negated() -> None:
    cosines = np.array([-0.9, -0.5, -0.2, 0.8], np.float32)
    for wanted in (cosines, -cosines):
        assert penalties(cosines, wanted, 1.0, np.arange(4)).tolist()[:3] == [0, 0, 0]


def test_passages_that_are_all_alike_lose_nothing() -> None:
    alike, none = np.full(3, 0.4, np.float32), np.empty(0, np.float32)
    assert penalties(alike, alike, 1.0, np.arange(3)).tolist() == [0, 0, 0]
    assert penalties(none, none, 1.0, np.arange(0)).tolist() == []


def test_a_negative_takes_its_penalty_from_the_plain_score(retriever: Retriever) -> None:
    plain, negated = (retriever.search(s, 99) for s in (PLAIN, NO_DRUMS))
    np.testing.assert_array_equal(plain.query.vectors, negated.query.vectors)
    opened = retriever.libraries[0]
    cosines = opened.index.vectors @ drums(retriever)
    contents = opened.index.passages.contents
    assert negated.query.anchor is not None
    wanted = opened.index.vectors @ negated.query.anchor[0]
    taken = penalties(cosines, wanted, 1.0, numbered(contents))
    before = {hit.track.content: hit.score for hit in plain.hits}
    for hit in negated.hits:  # one passage each
        lost = taken[contents.index(hit.track.content)]
        assert hit.score == pytest.approx(before[hit.track.content] - lost, abs=1e-5)


def carried(retriever: Retriever, found: list[str]) -> Array:
    """How near recordings are to the negated words."""
    opened = retriever.libraries[0]
    rows = [opened.index.passages.contents.index(content) for content in found]
    return np.asarray(opened.index.vectors[rows] @ drums(retriever))


def test_what_is_negated_sinks_and_the_rest_keeps_its_order(retriever: Retriever) -> None:
    plain, negated = (
        [hit.track.content for hit in retriever.search(s, 99).hits] for s in (PLAIN, NO_DRUMS)
    )
    before = carried(retriever, plain[:5])
    assert carried(retriever, negated[:5]).mean() < before.mean()
    assert plain[int(before.argmax())] not in negated[:5]
    nearness = dict(zip(plain, carried(retriever, plain), strict=True))
    usual = float((retriever.libraries[0].index.vectors @ drums(retriever)).mean())
    free = [content for content in plain if nearness[content] < usual]
    assert len(free) > 5
    assert [content for content in negated if content in free] == free


def test_a_negative_of_a_known_query_needs_no_draw(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever.search(PLAIN, 3)
    monkeypatch.setattr(sampling, "dpm_solver_pp", None)
    assert retriever.search(NO_DRUMS, 3).hits
    assert retriever.search(PLAIN.but(sliders=(Slider("drums", -1.0),)), 3).hits


def test_a_slider_below_zero_is_a_negative(retriever: Retriever) -> None:
    slid, negated = (
        retriever.search(PLAIN.but(**more), 99).hits
        for more in (
            {"sliders": (Slider("drums", -0.5),)},
            {"negatives": (WeightedText("drums", 1.5),)},
        )
    )
    assert slid == negated
    assert Steering("a", sliders=(Slider("b", 0.0),)).avoided == ()


def test_a_short_list_begins_as_the_whole_one(retriever: Retriever) -> None:
    """However few passages the draws bring, the best under a negative are among the candidates."""
    whole = retriever.search(NO_DRUMS, 99).hits
    assert [h.track for h in retriever.search(NO_DRUMS, 2).hits] == [h.track for h in whole[:2]]


def test_the_push_of_a_negative_is_its_penalty(retriever: Retriever) -> None:
    steering = NO_DRUMS.but(sliders=(Slider("piano", -0.2), Slider("strings", 0.3)))
    results = retriever.search(steering, 99)
    for hit in (results.hits[0], results.hits[-1]):
        why = explain(retriever, results.query, hit)
        assert why.score == pytest.approx(hit.score, abs=1e-5)
        kinds = [(push.kind, push.text) for push in why.pushes]
        assert kinds == [
            ("start", ""),
            ("prompt", "music"),
            ("slider", "strings"),
            ("negative", "drums"),
            ("slider", "piano"),
        ]
        assert all(push.tower <= 0 and not push.drawn for push in why.pushes[3:])
    assert why.pushes[3].tower < -0.05


def test_an_index_that_has_grown_is_judged_as_it_is_now(library: Library, model: Model) -> None:
    retriever = Retriever(model, [library], remember=4)
    first = retriever.search(NO_DRUMS, 99).hits
    (library.root / "late.ogg").write_bytes(sorted(DEMO.glob("*/*.ogg"))[1].read_bytes())
    ingest.ingest(library, model.encoder, on_progress=lambda progress: None)
    former = weakref.ref(retriever.libraries[0].index.vectors)
    retriever.refresh()
    assert former() is None  # of a large library, a hundred megabytes
    assert len(retriever.search(NO_DRUMS, 99).hits) == len(first) + 1
