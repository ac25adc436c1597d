"""Drawing needs a model and the latents of the files a steering names, and no library."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.search.drawing import DISLIKE_PUSH, LIKE_PUSH, Drawer
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.steering import Edit, Slider, Steering, WeightedText
from gdr_model.types import Array

PLAIN = Steering("warm piano", draws=3, steps=3)


@pytest.fixture(scope="module")
def model() -> Model:
    return checkpoint.load("builtin", "cpu")


def sound(path: str) -> Array:
    """Latents (70, D) that differ between paths, and not between calls."""
    random = np.random.default_rng(sum(map(ord, path)))
    return random.standard_normal((70, 64)).astype(np.float32)


@pytest.fixture
def drawer(model: Model) -> Drawer:
    def latents(path: str) -> Array:
        return np.tile(sound(path), (1, model.space.dim // 64 + 1))[:, : model.space.dim]

    return Drawer(model, latents)


def test_the_same_steering_gives_the_same_points_and_another_seed_others(drawer: Drawer) -> None:
    first, again, other = (drawer.query(s).vectors for s in (PLAIN, PLAIN, PLAIN.but(seed=1)))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)


def test_a_retriever_without_libraries_draws_the_same(drawer: Drawer, model: Model) -> None:
    np.testing.assert_array_equal(
        Retriever(model, []).query(PLAIN).vectors, drawer.query(PLAIN).vectors
    )


def test_likes_move_the_points_by_rocchios_formula(drawer: Drawer) -> None:
    steering = PLAIN.but(likes=("a", "b"), dislikes=("c",))
    liked = (drawer.point_of("a") + drawer.point_of("b")) / 2
    move = LIKE_PUSH * liked - DISLIKE_PUSH * drawer.point_of("c")
    plain, moved = drawer.query(PLAIN), drawer.query(steering)
    np.testing.assert_allclose(moved.vectors, unit(plain.vectors + move), atol=1e-5)
    assert plain.anchor is not None
    assert moved.anchor is not None
    np.testing.assert_allclose(moved.anchor, unit(plain.anchor + move), atol=1e-5)
    assert moved.steering == steering


def test_a_like_is_read_once_until_the_sound_can_have_changed(model: Model) -> None:
    read: list[str] = []

    def latents(path: str) -> Array:
        read.append(path)
        return np.ones((3, model.space.dim), np.float32) * len(read)

    drawer = Drawer(model, latents)
    for seed in range(3):
        drawer.moves(PLAIN.but(likes=("a",), dislikes=("b",), seed=seed))
        drawer.guided(PLAIN.but(likes=("a",), pull=0.2, seed=seed))
    assert read == ["a", "b"]
    before = drawer.point_of("a")
    drawer.forget()
    assert not np.array_equal(drawer.point_of("a"), before)


def test_the_contrastive_query_is_the_sum_of_its_terms(drawer: Drawer) -> None:
    steering = PLAIN.but(negatives=(WeightedText("drums", 2.0),), sliders=(Slider("strings", 0.5),))
    rows = drawer.rows(steering)
    assert len(rows) == 2, "negatives do not move the point"
    alone = [drawer.rows(Steering(words))[0] for words in ("warm piano", "strings")]
    np.testing.assert_allclose(rows[0], alone[0], atol=1e-5)
    np.testing.assert_allclose(rows[1], 0.75 * alone[1], atol=1e-5)
    query = drawer.query(steering, "contrastive")
    np.testing.assert_allclose(query.vectors, unit(rows.sum(0, keepdims=True)), atol=1e-6)
    assert query.anchor is None


def test_an_edit_starts_at_the_passage_that_is_named_or_nearest(drawer: Drawer) -> None:
    assert drawer.query(PLAIN.but(edit=Edit("a", 10.0))).source_start_s == 10
    chosen = drawer.query(PLAIN.but(edit=Edit("a")))
    assert chosen.source_start_s in (0.0, 35.0), "the beginning of one of its two passages"
    np.testing.assert_array_equal(chosen.anchor, drawer.query(PLAIN).anchor)
    assert chosen.round_trip is not None
    assert 0 <= chosen.round_trip < 0.5
    with pytest.raises(UsageError, match="cannot start at 70 s; a is 70 s long"):
        drawer.query(PLAIN.but(edit=Edit("a", 70.0)))


def test_a_weak_edit_stays_nearer_to_its_source_than_a_strong_one(drawer: Drawer) -> None:
    source = drawer.point_of("a")
    near = [
        float((drawer.query(PLAIN.but(edit=Edit("a", 0.0, strength))).vectors @ source).mean())
        for strength in (0.2, 1.0)
    ]
    assert near[0] > near[1]


def test_what_a_model_or_method_cannot_do_is_refused(drawer: Drawer) -> None:
    with pytest.raises(UsageError, match="unknown method 'magic'"):
        drawer.query(PLAIN, "magic")
    with pytest.raises(UsageError, match="not distilled"):
        drawer.query(PLAIN.but(sampler="consistency"))
    with pytest.raises(UsageError, match="only a query that is drawn can be edited"):
        drawer.query(PLAIN.but(edit=Edit("a")), "contrastive")


def test_forgotten_draws_are_made_again_from_the_sound_as_it_is_now(model: Model) -> None:
    files = {"a": np.ones((5, model.space.dim), np.float32)}
    drawer = Drawer(model, files.__getitem__, remember=4)
    edit = PLAIN.but(edit=Edit("a", 0.0))
    before = drawer.query(edit).vectors
    files["a"] = np.random.default_rng(0).standard_normal((5, model.space.dim)).astype(np.float32)
    np.testing.assert_array_equal(drawer.query(edit).vectors, before)
    drawer.forget()
    assert not np.allclose(drawer.query(edit).vectors, before)
