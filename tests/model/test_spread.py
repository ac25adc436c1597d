"""Above spread 0 a list leans towards one draw and makes room for what has not been seen."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.diffusion import sampling
from gdr_model.errors import UsageError
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.search import spread
from gdr_model.search.interpretations import interpretations
from gdr_model.search.recordings.listing import points
from gdr_model.search.retriever import Retriever
from gdr_model.search.spread import LEAN, LOOK, SHOWN
from gdr_model.search.why import explain
from gdr_model.steering import Edit, Steering
from gdr_model.store.library import Library
from gdr_model.types import Hit
from tests.model.demo_library import indexed

PLAIN = Steering("warm piano", draws=3, steps=3)
WIDE = PLAIN.but(spread=0.5)


@pytest.fixture(scope="module")
def model() -> Model:
    return checkpoint.load("builtin", "cpu")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Library:
    return indexed(tmp_path_factory, model)


@pytest.fixture
def retriever(library: Library, model: Model) -> Retriever:
    return Retriever(model, [library], remember=4)


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts what is drawn."""
    counted: list[int] = []
    walk = sampling.dpm_solver_pp

    def count(*given: object, **named: object) -> object:
        counted.append(1)
        return walk(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(sampling, "dpm_solver_pp", count)
    return counted


def names(hits: tuple[Hit, ...]) -> list[str]:
    return [hit.track.name for hit in hits]


def expected(retriever: Retriever, steering: Steering, places: int) -> list[dict[str, float]]:
    """The scores of the closest list and of the rolls after it, by their formula."""
    query = retriever.query(steering.but(spread=0.0, roll=1))
    assert query.anchor is not None
    opened, share = retriever.libraries[0], retriever.model.config.anchor_share
    vectors, contents = opened.index.vectors, opened.index.passages.contents
    names = np.array(list(contents))
    mean = query.vectors.mean(0)
    apart = query.vectors - mean
    unit_length = apart / np.sqrt((apart**2).sum(1).mean())
    closest = vectors @ (share * query.anchor[0] + (1 - share) * mean)
    shown: dict[str, int] = {}
    apart = 0.0
    lists = []
    for place in range(places + 1):
        lean = LEAN * steering.spread * unit_length[place - 1] if place else 0 * mean
        scores = closest + vectors @ lean
        best: dict[str, float] = {}
        for content, score in zip(contents, scores, strict=True):
            taken = SHOWN * steering.spread * apart * shown.get(content, 0)
            best[content] = max(best.get(content, -9.0), float(score) - taken)
        lists.append(best)
        first = sorted(best, key=lambda c: -best[c])[:LOOK]
        if not place:
            rows = [int(np.argmax(np.where(names == content, scores, -9))) for content in first]
            cosines = vectors[rows] @ vectors[rows].T
            apart = 1 - float(cosines[~np.eye(len(rows), dtype=bool)].mean())
        for content in first:
            shown[content] = shown.get(content, 0) + 1
    return lists


def test_rolls_lean_towards_their_draw_and_away_from_what_lists_before_showed(
    retriever: Retriever,
) -> None:
    for place, scores in enumerate(expected(retriever, WIDE, 3)):
        asked = WIDE.but(roll=place) if place else PLAIN
        found = retriever.search(asked, 60).hits
        assert len(found) == retriever.count()
        for hit in found:
            assert hit.score == pytest.approx(scores[hit.track.content], abs=1e-5)


def test_a_roll_is_the_same_whatever_was_asked_before(library: Library, model: Model) -> None:
    going, coming = Retriever(model, [library], remember=9), Retriever(model, [library])
    rolls = [going.search(WIDE.but(roll=roll), 5).hits for roll in (1, 2, 3, 4)]
    assert [coming.search(WIDE.but(roll=roll), 5).hits for roll in (4, 3, 2, 1)] == rolls[::-1]
    filtered = coming.search(WIDE.but(roll=3), 5, "duration_s > 1").hits
    assert filtered == rolls[2]


def test_eight_rolls_cost_one_drawing_and_the_next_eight_another(
    retriever: Retriever, drawings: list[int]
) -> None:
    for roll in (1, 2, 3):
        retriever.search(WIDE.but(roll=roll))
    retriever.search(PLAIN)
    assert len(drawings) == 1
    later = retriever.search(WIDE.but(roll=5))
    assert len(drawings) == 2
    assert later.hits == retriever.search(WIDE.but(seed=1, roll=2)).hits, "of the next seed"
    assert len(drawings) == 2


def test_a_wider_spread_brings_more_that_is_new(retriever: Retriever) -> None:
    closest = set(names(retriever.search(PLAIN, LOOK).hits))
    new = [
        sum(
            len(set(names(retriever.search(PLAIN.but(spread=s, roll=r), LOOK).hits)) - closest)
            for r in (1, 2, 3)
        )
        for s in (0.0, 0.25, 1.0)
    ]
    assert new[0] == 0
    assert new[0] < new[1] < new[2]


def test_at_spread_0_the_roll_changes_nothing(retriever: Retriever) -> None:
    assert retriever.search(PLAIN).hits == retriever.search(PLAIN.but(roll=9)).hits


def test_how_far_the_draws_agree_and_their_interpretations_do_not_depend_on_the_roll(
    retriever: Retriever,
) -> None:
    found = [retriever.search(steering) for steering in (PLAIN, WIDE, WIDE.but(roll=2))]
    assert len({results.agreement for results in found}) == 1
    views = [interpretations(retriever, results, 5) for results in found]
    for view in views[1:]:
        assert [v.results.hits for v in view] == [v.results.hits for v in views[0]]


def test_likes_and_filters_need_no_drawing_and_bans_make_room(
    retriever: Retriever, drawings: list[int]
) -> None:
    plain = retriever.search(WIDE.but(roll=2), 60)
    first, last = plain.hits[0], plain.hits[-1]
    steered = WIDE.but(roll=2, likes=(str(last.track.path),), dislikes=(str(first.track.path),))
    found = retriever.search(steered, 60, "duration_s > 0")
    assert len(drawings) == 1
    scores = {hit.track.path: hit.score for hit in found.hits}
    assert first.track.path not in scores
    assert scores[last.track.path] > last.score


@pytest.mark.parametrize("roll", [1, 3])
def test_the_parts_of_a_score_add_up(retriever: Retriever, roll: int) -> None:
    found = retriever.search(WIDE.but(roll=roll, likes=(str(library_file(retriever)),)), 60)
    parts = [explain(retriever, found.query, hit) for hit in (found.hits[0], found.hits[-1])]
    for why, hit in zip(parts, (found.hits[0], found.hits[-1]), strict=True):
        assert why.score == pytest.approx(hit.score, abs=1e-4)
    closest = retriever.recordings(retriever.query(found.query.steering.but(spread=0)), k=LOOK)
    closest_apart = spread.apart(points(closest.tracks))
    shown = {ranked.track.content for ranked in closest.tracks}
    for hit in found.hits:
        pushed = [p for p in explain(retriever, found.query, hit).pushes if p.kind == "shown"]
        if hit.track.content in shown:
            assert pushed[0].total <= -SHOWN * WIDE.spread * closest_apart
        elif roll == 1:
            assert not pushed


def library_file(retriever: Retriever) -> str:
    return str(retriever.libraries[0].library.tracks()[7].path)


def test_an_edit_has_rolls_too(retriever: Retriever) -> None:
    edit = PLAIN.but(edit=Edit(library_file(retriever), 0.0, 0.8), spread=1.0)
    first, second = (retriever.search(edit.but(roll=roll), 10) for roll in (1, 2))
    assert names(first.hits) != names(second.hits)
    why = explain(retriever, second.query, second.hits[0])
    assert why.score == pytest.approx(second.hits[0].score, abs=1e-4)


def test_the_tower_alone_and_likes_alone_have_no_rolls(retriever: Retriever) -> None:
    tower = [retriever.search(s, method="contrastive").hits for s in (PLAIN, WIDE.but(roll=2))]
    assert tower[0] == tower[1]
    path = str(tower[0][0].track.path)
    liked = [
        retriever.search(Steering("", likes=(path,), spread=s, roll=2)).hits for s in (0.0, 0.5)
    ]
    assert liked[0] == liked[1]


def test_one_draw_leans_nowhere_but_makes_room() -> None:
    alone = np.ones((1, 4), np.float32) / 2
    assert spread.weights(alone, WIDE, 1, 0.7) is None
    steering = WIDE.but(spread=1.0)
    assert spread.taken([{"a"}, {"a", "b"}], steering, 1.0) == {"a": 2 * SHOWN, "b": SHOWN}


def test_lists_take_less_where_the_closest_recordings_are_alike() -> None:
    square = np.eye(4, dtype=np.float32)
    assert spread.apart(square) == pytest.approx(1)
    alike = (square + 1) / np.sqrt(7, dtype=np.float32)
    assert spread.apart(alike) == pytest.approx(1 - 6 / 7)
    assert spread.apart(square[:1]) == spread.apart(square[:0]) == 0
    taken = [spread.taken([{"a"}], WIDE, spread.apart(each))["a"] for each in (square, alike)]
    assert taken[1] == pytest.approx(taken[0] / 7)


def test_rolls_are_the_same_over_two_libraries_that_share_recordings(
    library: Library, model: Model, tmp_path_factory: pytest.TempPathFactory
) -> None:
    both = Retriever(model, [library, indexed(tmp_path_factory, model, every=2)])
    alone = Retriever(model, [library])
    for roll in (1, 2):
        found = [names(each.search(WIDE.but(roll=roll)).hits) for each in (alone, both)]
        assert found[0] == found[1]


@pytest.mark.parametrize("wrong", [{"spread": -0.1}, {"spread": 1.1}, {"roll": 0}])
def test_a_spread_or_a_roll_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="out of range"):
        Steering("words", **wrong)  # type: ignore[arg-type]


def test_a_nan_is_no_spread() -> None:
    with pytest.raises(UsageError, match="spread nan"):
        Steering("words", spread=float("nan"))


def test_a_steering_kept_before_there_were_rolls_is_read_as_the_closest() -> None:
    old = '{"prompt": "old words"}'
    assert Steering.from_json(old) == Steering("old words", spread=0, roll=1)


def test_the_tower_has_more_to_say_in_a_stronger_edit() -> None:
    shares = [
        spread.share(Steering("a", edit=Edit("b", 0.0, strength)), 0.7)
        for strength in (0.2, 0.6, 1.0)
    ]
    assert 0 < shares[0] < shares[1] < shares[2] < 0.7
    assert spread.share(Steering("a", edit=Edit("b", 0.0, 0.5)), 0.0) == 0
