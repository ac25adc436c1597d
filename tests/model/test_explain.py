"""A score taken apart: the pushes add up, and each is what its definition says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from demo_library import indexed

from gdr_model.diffusion import sampling
from gdr_model.errors import Cancelled, LibraryError, UsageError
from gdr_model.explanation import Why
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.search.lexicon import Lexicon
from gdr_model.search.retriever import Retriever
from gdr_model.search.why import explain, place
from gdr_model.steering import Edit, Slider, Steering, WeightedText
from gdr_model.store.library import Library
from gdr_model.types import Results

PLAIN = Steering("warm piano", draws=3, steps=3)


@pytest.fixture(scope="module")
def model() -> Model:
    return checkpoint.load("builtin", "cpu")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Library:
    return indexed(tmp_path_factory, model, every=9)


@pytest.fixture(scope="module")
def retriever(model: Model, library: Library) -> Retriever:
    return Retriever(model, [library], remember=64)


def explained(retriever: Retriever, steering: Steering, method: str = "gdr") -> list[Why]:
    results: Results = retriever.search(steering, 4, method=method)
    return [explain(retriever, results.query, hit) for hit in results.hits]


def paths(library: Library) -> list[str]:
    return [str(track.path) for track in library.tracks()]


@pytest.mark.parametrize("method", ["gdr", "contrastive"])
@pytest.mark.parametrize("judged", [False, True], ids=["", "judged"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"negatives": (WeightedText("drums"), WeightedText("vocals", 0.5))},
        {"negatives": (WeightedText("drums", 2),), "sliders": (Slider("strings", 0.7),)},
        {"guidance": 0.0, "sliders": (Slider("fast", -1),)},
    ],
    ids=["prompt", "negatives", "slider", "unguided"],
)
def test_the_pushes_add_up_to_the_score(
    retriever: Retriever, library: Library, more: dict[str, object], judged: bool, method: str
) -> None:
    steering = PLAIN.but(**more)
    if judged:
        liked, other, banned, *_ = paths(library)
        steering = steering.but(likes=(liked, other), dislikes=(banned,))
    results = retriever.search(steering, 4, method=method)
    assert results.hits
    for hit in results.hits:
        why = explain(retriever, results.query, hit)
        assert why.score == pytest.approx(hit.score, abs=1e-5)
        assert sum(push.total for push in why.pushes) == why.score
        kinds = [push.kind for push in why.pushes]
        assert kinds.count("prompt") == 1
        assert kinds.count("negative") == len(steering.negatives)
        assert kinds.count("slider") == len(steering.sliders)
        assert kinds.count("like") == len(steering.likes)
        assert kinds.count("dislike") == len(steering.dislikes)
        assert kinds.count("start") == (method == "gdr")


def test_an_edit_starts_from_its_source(retriever: Retriever, library: Library) -> None:
    source = paths(library)[1]
    for start_s in (None, 0.0):
        edit = Edit(source, start_s, 0.5, "piano")
        steering = PLAIN.but(edit=edit, negatives=(WeightedText("drums"),))
        results = retriever.search(steering, 4)
        for hit in results.hits:
            why = explain(retriever, results.query, hit)
            assert why.score == pytest.approx(hit.score, abs=1e-5)
            assert why.pushes[0].kind == "start"
            assert why.pushes[0].text == source
            start, prompt, negative = why.pushes
            assert start.tower == 0
            assert prompt.tower != 0
            assert negative.tower <= 0
    found = {str(hit.track.path): explain(retriever, results.query, hit) for hit in results.hits}
    starts = {path: why.pushes[0].total for path, why in found.items()}
    assert max(starts, key=lambda path: starts[path]) == source, "which is like itself"


def test_guidance_zero_leaves_nothing_for_the_prompt_to_do_in_the_draws(
    retriever: Retriever,
) -> None:
    for why in explained(retriever, PLAIN.but(guidance=0.0)):
        start, prompt = why.pushes
        assert prompt.drawn == pytest.approx(0, abs=1e-6)
        assert start.drawn + prompt.tower == pytest.approx(why.score)


def test_two_like_sliders_share_what_they_do(retriever: Retriever) -> None:
    twice = PLAIN.but(sliders=(Slider("drums", 0.5), Slider("drums", 0.5)))
    for why in explained(retriever, twice):
        one, other = (push for push in why.pushes if push.kind == "slider")
        assert one.drawn == pytest.approx(other.drawn, abs=1e-5)
        assert one.tower == pytest.approx(other.tower, abs=1e-6)


def test_each_set_of_words_is_drawn_once_and_then_remembered(
    retriever: Retriever, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    walk = sampling.dpm_solver_pp

    def count(*given: object, **named: object) -> object:
        counted.append(1)
        return walk(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(sampling, "dpm_solver_pp", count)
    three = tuple(Slider(words, 0.5) for words in ("drums", "rap", "bells"))
    four = PLAIN.but(seed=9, sliders=three)
    results = retriever.search(four, 2)
    assert len(counted) == 1
    why = explain(retriever, results.query, results.hits[0])
    assert why.score == pytest.approx(results.hits[0].score, abs=1e-5)
    assert len(counted) == 4 * 3 + 2
    explain(retriever, results.query, results.hits[1])
    assert len(counted) == 4 * 3 + 2


def test_a_single_slider_does_what_leaving_it_out_undoes_on_the_average(
    retriever: Retriever,
) -> None:
    """With two terms the two orders are Shapley's, computed here from the four draws."""
    steering = PLAIN.but(sliders=(Slider("drums", 0.5),))
    results = retriever.search(steering, 1)
    hit = results.hits[0]
    share = retriever.model.config.anchor_share
    opened = retriever.libraries[0]
    row = opened.index.passages.contents.index(hit.track.content)
    point = opened.index.vectors[row]

    def value(kept: Steering) -> float:
        vectors = retriever.search(kept, 1).query.vectors
        return float((1 - share) * (vectors @ point).mean())

    nothing = steering.but(guidance=0.0, sliders=())
    alone = value(steering.but(guidance=0.0)) - value(nothing)
    last = value(steering) - value(PLAIN)
    slider = explain(retriever, results.query, hit).pushes[2]
    assert slider.kind == "slider"
    assert slider.drawn == pytest.approx((alone + last) / 2, abs=1e-5)


def test_the_liked_track_is_pushed_up_and_what_is_like_the_banned_one_down(
    retriever: Retriever, library: Library
) -> None:
    liked, banned, *_ = paths(library)
    results = retriever.search(PLAIN.but(likes=(liked,), dislikes=(banned,)), 9)
    hit = next(hit for hit in results.hits if str(hit.track.path) == liked)
    like, dislike = explain(retriever, results.query, hit).pushes[-2:]
    assert (like.kind, like.text) == ("like", liked)
    assert like.drawn > 0.05
    assert like.tower > 0.05
    assert (dislike.kind, dislike.text) == ("dislike", banned)


def test_the_words_of_a_point_are_those_nearest_to_it(retriever: Retriever, model: Model) -> None:
    lexicon = Lexicon.read(model, ("piano", "heavy metal", "piano", "techno"))
    assert lexicon.words == ("piano", "heavy metal", "techno")
    np.testing.assert_allclose(np.linalg.norm(lexicon.rows, axis=1), 1, atol=1e-5)
    assert lexicon.nearest(lexicon.rows[1], 1) == (("heavy metal", pytest.approx(1)),)
    results = retriever.search(PLAIN, 1)
    why = explain(retriever, results.query, results.hits[0], lexicon)
    assert why.query_words[0][0] == "piano"
    assert len(why.track_words) == 3
    apart = lexicon.apart(lexicon.rows[2], [lexicon.rows[0], lexicon.rows[1]])
    assert apart[0][0] == "techno"
    assert all(by > 0 for _, by in apart)


def test_a_file_is_placed_whatever_its_rank(retriever: Retriever, library: Library) -> None:
    results = retriever.search(PLAIN, 99)
    for rank, hit in enumerate(results.hits, 1):
        found, place_of, competing = place(retriever, results.query, hit.track.path)
        assert (found.score, place_of, competing) == (hit.score, rank, len(results.hits))
        assert found == hit
    best = results.hits[0].track.path
    with pytest.raises(UsageError, match="excludes it"):
        place(retriever, results.query, best, "duration_s < 1")
    disliked = retriever.query(PLAIN.but(dislikes=(str(best),)))
    with pytest.raises(UsageError, match="excludes it"):
        place(retriever, disliked, best)
    with pytest.raises(LibraryError, match="is in no library"):
        place(retriever, results.query, Path("/nowhere.ogg"))


def test_reading_words_stops_when_asked(model: Model) -> None:
    with pytest.raises(Cancelled):
        Lexicon.read(model, cancelled=lambda: True)


def test_a_hit_that_is_gone_is_refused(retriever: Retriever) -> None:
    results = retriever.search(PLAIN, 1)
    gone = replace(results.hits[0], track=replace(results.hits[0].track, content="another"))
    with pytest.raises(LibraryError, match="no longer in the library"):
        explain(retriever, results.query, gone)
