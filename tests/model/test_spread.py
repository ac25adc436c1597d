"""At a spread above 0 one draw makes the list, and the next roll needs no drawing."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.diffusion import sampling
from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.search import nearest, spread
from gdr_model.search.interpretations import interpretations
from gdr_model.search.retriever import Retriever
from gdr_model.search.why import explain
from gdr_model.steering import Edit, Steering
from gdr_model.store.library import Library
from tests.model.demo_library import indexed

PLAIN = Steering("warm piano", draws=3, steps=3)
WIDE = PLAIN.but(spread=0.5)


@pytest.fixture(scope="module")
def model() -> Model:
    return checkpoint.load("builtin", "cpu")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Library:
    return indexed(tmp_path_factory, model, every=2)


@pytest.fixture
def retriever(library: Library, model: Model) -> Retriever:
    return Retriever(model, [library], remember=4)


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts what is drawn."""
    counted: list[int] = []
    ddim = sampling.ddim

    def count(*given: object, **named: object) -> object:
        counted.append(1)
        return ddim(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(sampling, "ddim", count)
    return counted


def test_a_roll_is_one_draw_of_the_seed_and_the_next_seed_comes_after_the_last(
    retriever: Retriever, drawings: list[int]
) -> None:
    rolls = [retriever.query(WIDE.but(roll=roll)) for roll in (1, 2, 3)]
    assert len(drawings) == 1, "the other draws were made with the first"
    later = retriever.query(WIDE.but(roll=5))
    assert len(drawings) == 2
    drawn, following = (
        retriever.drawer.drawn(spread.cloud(WIDE.but(roll=roll))).vectors for roll in (1, 4)
    )
    for number, query in enumerate(rolls):
        np.testing.assert_allclose(query.vectors, drawn[[number]], rtol=1e-6)
        assert query.draws == (number,)
    np.testing.assert_allclose(later.vectors, following[[1]], rtol=1e-6)
    next_seed = retriever.query(WIDE.but(seed=1, roll=2))
    np.testing.assert_array_equal(later.vectors, next_seed.vectors)


def test_the_list_of_a_roll_is_ranked_by_its_draw_and_a_smaller_share_of_the_tower(
    retriever: Retriever,
) -> None:
    anchor_share = retriever.model.config.anchor_share
    query = retriever.query(WIDE.but(roll=2))
    share = spread.share(WIDE, anchor_share)
    assert 0 <= share < anchor_share
    assert query.anchor is not None
    point = (1 - share) * query.vectors[0] + share * query.anchor[0]
    found = retriever.rank(query)
    for ranked in found.tracks:
        vector = ranked.library.index.vectors[ranked.row]
        assert ranked.score == pytest.approx(float(vector @ point), abs=1e-5)
    assert len(found.tracks) == retriever.count()


def test_at_spread_0_all_draws_make_the_list_whatever_the_roll(retriever: Retriever) -> None:
    closest, rolled = retriever.search(PLAIN), retriever.search(PLAIN.but(roll=9))
    assert closest.hits == rolled.hits
    assert closest.query.draws is None
    assert len(closest.query.vectors) == PLAIN.draws
    vectors = closest.query.vectors
    assert closest.query.anchor is not None
    share = retriever.model.config.anchor_share
    for hit, ranked in zip(closest.hits, retriever.rank(closest.query, k=20).tracks, strict=True):
        rows = ranked.library.index.vectors[[ranked.row]]
        expected = nearest.fuse(vectors @ rows.T, rows @ closest.query.anchor[0], share)
        assert hit.score == pytest.approx(float(expected[0]), abs=1e-5)


def test_how_far_the_draws_agree_does_not_depend_on_the_roll(retriever: Retriever) -> None:
    found = [retriever.search(WIDE.but(roll=roll)) for roll in (1, 2)]
    assert found[0].hits != found[1].hits
    assert found[0].agreement == found[1].agreement < 1
    views = [interpretations(retriever, results, 5) for results in found]
    assert [v.results.hits for v in views[0]] == [v.results.hits for v in views[1]]


def test_likes_move_the_draw_of_a_roll_without_drawing_again(
    retriever: Retriever, drawings: list[int]
) -> None:
    plain = retriever.search(WIDE.but(roll=2), 40)
    last = plain.hits[-1]
    liked = retriever.search(WIDE.but(roll=2, likes=(str(last.track.path),)), 40)
    assert len(drawings) == 1
    scores = {hit.track.path: hit.score for hit in liked.hits}
    assert scores[last.track.path] > last.score
    assert liked.query.draws == (1,)


def test_the_parts_of_a_score_add_up_for_one_draw(retriever: Retriever) -> None:
    found = retriever.search(WIDE.but(roll=3))
    why = explain(retriever, found.query, found.hits[0])
    assert why.score == pytest.approx(found.hits[0].score, abs=1e-4)
    other = retriever.search(WIDE.but(roll=2), 40)
    same = next(hit for hit in other.hits if hit.track == found.hits[0].track)
    by_draws = [
        sum(push.drawn for push in explain(retriever, results.query, hit).pushes)
        for results, hit in ((found, found.hits[0]), (other, same))
    ]
    assert by_draws[0] != pytest.approx(by_draws[1], abs=1e-4)


def test_the_tower_alone_and_likes_alone_have_no_rolls(retriever: Retriever) -> None:
    tower = [retriever.search(s, method="contrastive").hits for s in (PLAIN, WIDE.but(roll=2))]
    assert tower[0] == tower[1]
    path = str(tower[0][0].track.path)
    liked = [
        retriever.search(Steering("", likes=(path,), spread=s, roll=2)).hits for s in (0.0, 0.5)
    ]
    assert liked[0] == liked[1]


@pytest.mark.parametrize("wrong", [{"spread": -0.1}, {"spread": 1.1}, {"roll": 0}])
def test_a_spread_or_a_roll_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="out of range"):
        Steering("words", **wrong)  # type: ignore[arg-type]


def test_a_nan_is_no_spread() -> None:
    with pytest.raises(UsageError, match="spread nan"):
        Steering("words", spread=float("nan"))


def test_a_steering_kept_before_there_were_rolls_is_read_as_the_closest() -> None:
    assert Steering.from_json('{"prompt": "old words"}') == Steering("old words", spread=0, roll=1)


def test_the_tower_has_more_to_say_in_a_stronger_edit() -> None:
    shares = [
        spread.share(Steering("a", edit=Edit("b", 0.0, strength)), 0.7)
        for strength in (0.2, 0.6, 1.0)
    ]
    assert 0 < shares[0] < shares[1] < shares[2] < 0.7
    assert spread.share(Steering("a", edit=Edit("b", 0.0, 0.5)), 0.0) == 0
