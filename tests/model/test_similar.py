"""A query without words: the recordings nearest to what is liked, on the demo library."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from demo_library import indexed

from gdr_model.diffusion import sampling
from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.search.drawing import DISLIKE_PUSH, SLIDER_PUSH
from gdr_model.search.retriever import Retriever
from gdr_model.search.understanding import notes
from gdr_model.search.whitening import unit
from gdr_model.search.why import explain, place
from gdr_model.steering import Edit, Slider, Steering, WeightedText
from gdr_model.store.library import Library
from gdr_model.types import Array


@pytest.fixture(scope="module")
def model() -> Model:
    return checkpoint.load("builtin", "cpu")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Library:
    return indexed(tmp_path_factory, model, every=5)


@pytest.fixture
def retriever(model: Model, library: Library) -> Retriever:
    return Retriever(model, [library])


def files(library: Library) -> list[str]:
    return [str(track.path) for track in library.tracks()]


def by_hand(retriever: Retriever, liked: list[str]) -> list[tuple[str, float]]:
    """Every other track with the cosine of its best passage to the mean of the liked points."""
    (opened,) = retriever.libraries
    point = unit(np.mean([retriever.drawer.point_of(path) for path in liked], axis=0)[None])[0]
    best: dict[str, float] = {}
    passages = opened.index.passages
    for content, cosine in zip(passages.contents, opened.index.vectors @ point, strict=True):
        path = str(opened.tracks[content][0].path)
        best[path] = max(float(cosine), best.get(path, -1.0))
    return sorted(
        ((path, score) for path, score in best.items() if path not in liked),
        key=lambda one: -one[1],
    )


def tower(model: Model, text: str) -> Array:
    return Retriever(model, []).query(Steering(text), "contrastive").vectors[0]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("method", ["gdr", "contrastive"])
def test_the_list_is_that_of_the_mean_of_the_likes_without_them(
    retriever: Retriever, library: Library, count: int, method: str
) -> None:
    liked = files(library)[:count]
    found = retriever.search(Steering("", likes=tuple(liked)), 99, method=method)
    expected = by_hand(retriever, liked)
    assert [str(hit.track.path) for hit in found.hits] == [path for path, _ in expected]
    np.testing.assert_allclose([h.score for h in found.hits], [s for _, s in expected], atol=1e-5)
    assert (found.tracks_searched, found.banned) == (len(expected), count)
    assert found.query.vectors.shape == (1, retriever.model.space.dim)


def test_nothing_is_drawn_and_no_text_model_is_read(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "dpm_solver_pp", None)
    fresh = checkpoint.load("builtin", "cpu")
    likes = (files(library)[0],)
    assert Retriever(fresh, [library]).search(Steering("", likes=likes, pull=0.5)).hits
    assert "text" not in vars(fresh)


def test_words_that_steer_and_bans_move_the_point(
    retriever: Retriever, library: Library, model: Model
) -> None:
    liked, banned = files(library)[:2]
    steering = Steering(
        " ",
        negatives=(WeightedText("drums", 2.0),),
        sliders=(Slider("strings", 0.5),),
        likes=(liked,),
        dislikes=(banned,),
    )
    worded = retriever.drawer.point_of(liked) + 0.5 * SLIDER_PUSH * tower(model, "strings")
    point = unit(unit(worded[None]) - DISLIKE_PUSH * retriever.drawer.point_of(banned))
    found = retriever.search(steering, 99)
    np.testing.assert_allclose(found.query.vectors, point, atol=1e-5)
    assert not {liked, banned} & {str(hit.track.path) for hit in found.hits}
    for hit in (found.hits[0], found.hits[-1]):
        why = explain(retriever, found.query, hit)
        assert [push.kind for push in why.pushes] == ["like", "slider", "negative", "dislike"]
        assert why.score == pytest.approx(hit.score, abs=1e-5)
        assert not any(push.drawn for push in why.pushes)


def test_copies_of_what_is_liked_are_left_out_and_its_place_is_refused(
    library: Library, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gdr_model.store import ingest

    monkeypatch.setenv("GDR_HOME", str(tmp_path / "home"))
    music = tmp_path / "music"
    shutil.copytree(library.root, music)
    song, *others = sorted(music.iterdir())
    copy = shutil.copy(song, music / "a copy.ogg")
    with Library.open(music, create=True) as copied:
        ingest.ingest(copied, model.encoder, on_progress=lambda progress: None)
        retriever = Retriever(model, [copied])
        steering = Steering("", likes=(str(song),))
        for every_file in (False, True):
            found = retriever.search(steering, 99, every_file=every_file)
            assert sorted(hit.track.path for hit in found.hits) == others
            assert found.banned == 2
        with pytest.raises(UsageError, match="does not compete: the query starts from it"):
            place(retriever, found.query, Path(copy))
        only = retriever.search(steering, 9, f'path = "{song.name}"')
        assert (only.hits, only.tracks_searched, only.banned) == ((), 0, 1)


def test_a_file_outside_the_library_finds_its_own_recording_first(
    retriever: Retriever, library: Library, tmp_path: Path
) -> None:
    inside = files(library)[2]
    outside = shutil.copy(inside, tmp_path / "elsewhere.ogg")
    found = retriever.search(Steering("", likes=(str(outside),)), 99)
    assert str(found.hits[0].track.path) == inside
    assert len(found.hits) == len(files(library))


def test_it_needs_likes_and_is_read_back_as_it_was(retriever: Retriever, library: Library) -> None:
    steering = Steering("", likes=(files(library)[0],))
    assert Steering.from_json(steering.to_json()) == steering
    for invalid in ({"likes": ()}, {"likes": (), "dislikes": ("a",)}, {"edit": Edit("a")}):
        with pytest.raises(UsageError, match="the prompt is empty"):
            steering.but(**invalid)
    understanding = retriever.model.understanding
    results = retriever.search(steering, 3)
    assert understanding
    assert notes(understanding, retriever.model.text, results) == ()
