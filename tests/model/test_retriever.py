"""A retriever that remembers its draws gives the same answers without drawing again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gdr_model.diffusion import sampling
from gdr_model.errors import DecodeError, UsageError
from gdr_model.models import checkpoint
from gdr_model.models.checkpoint import Model
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.steering import PULL, Edit, Sampler, Steering
from gdr_model.store import ingest
from gdr_model.store.library import Library, by_content

DEMO = Path(__file__).parents[2] / "demo"
PLAIN = Steering("warm piano", draws=3, steps=3)


@pytest.fixture(scope="module")
def model() -> Model:
    return checkpoint.load("builtin", "cpu")


@pytest.fixture
def library(music: Path, model: Model) -> Library:
    """Five pieces, one of them twice."""
    for song in sorted(DEMO.glob("*/*.ogg"))[::9]:
        shutil.copy(song, music)
    shutil.copy(song, music / "copy.ogg")
    library = Library.open(music, create=True)
    ingest.ingest(library, model.encoder, on_progress=lambda progress: None)
    return library


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts what is drawn."""
    counted: list[int] = []

    def counting(walk: Callable[..., object]) -> Callable[..., object]:
        def count(*given: object, **named: object) -> object:
            counted.append(1)
            return walk(*given, **named)

        return count

    for name in ("ddim", "dpm_solver_pp"):
        monkeypatch.setattr(sampling, name, counting(getattr(sampling, name)))
    return counted


def test_likes_bans_and_filters_are_answered_from_the_same_draw(
    library: Library, model: Model, draws: list[int]
) -> None:
    keeping, plain = Retriever(model, [library], remember=4), Retriever(model, [library])
    first = keeping.search(PLAIN, 9)
    worst, best = str(first.hits[-1].track.path), str(first.hits[0].track.path)
    steered = PLAIN.but(likes=(worst,), dislikes=(best,))
    drawn = len(draws)
    again = keeping.search(steered, 9, "path ~ ogg")
    assert len(draws) == drawn
    expected = plain.search(steered, 9, "path ~ ogg")
    assert len(draws) == drawn + 1, "one that remembers nothing draws"
    assert again.hits == expected.hits
    np.testing.assert_array_equal(again.query.vectors, expected.query.vectors)
    scores = {hit.track.path: hit.score for hit in first.hits}
    moved = {hit.track.path: hit.score - scores[hit.track.path] for hit in again.hits}
    assert moved[Path(worst)] > 0


def test_a_banned_recording_is_no_answer_nor_are_its_copies(
    library: Library, model: Model, draws: list[int]
) -> None:
    retriever = Retriever(model, [library], remember=4)
    copies = next(same for same in by_content(library.tracks()).values() if len(same) == 2)
    plain = retriever.search(PLAIN, 9)
    banned = retriever.search(PLAIN.but(dislikes=(str(copies[1].path),)), 9)
    assert len(draws) == 1
    left = {hit.track.path for hit in banned.hits}
    assert left == {hit.track.path for hit in plain.hits} - {copy.path for copy in copies}
    assert not any(hit.copies for hit in banned.hits)
    assert (banned.tracks_searched, banned.filtered, banned.banned) == (len(left), 0, 2)
    before = {hit.track.path: hit.score for hit in plain.hits}
    nearest = max(left, key=lambda path: alike(retriever, path, copies[0].path))
    after = {hit.track.path: hit.score for hit in banned.hits}
    assert after[nearest] < before[nearest], "what is like it is pushed away"


def test_an_empty_answer_distinguishes_the_filter_from_the_bans(
    library: Library, model: Model
) -> None:
    retriever, paths = Retriever(model, [library]), [str(t.path) for t in library.tracks()]
    everything = len(paths)
    filtered = retriever.search(PLAIN, 9, "duration_s < 1")
    assert (filtered.hits, filtered.tracks_searched) == ((), 0)
    assert (filtered.filtered, filtered.banned) == (everything, 0)
    all_banned = retriever.search(PLAIN.but(dislikes=tuple(paths)), 9)
    assert (all_banned.hits, all_banned.banned) == ((), everything)
    both = retriever.search(PLAIN.but(dislikes=(paths[0],)), 9, f'path = "{Path(paths[0]).name}"')
    assert (both.tracks_searched, both.filtered) == (0, everything - 1)
    assert both.banned == 1
    elsewhere = PLAIN.but(dislikes=(str(DEMO / "no such file.ogg"),))
    with pytest.raises(DecodeError):
        retriever.search(elsewhere, 9)


def alike(retriever: Retriever, one: Path, other: Path) -> float:
    return float(retriever.drawer.point_of(str(one)) @ retriever.drawer.point_of(str(other)))


def test_only_the_last_draws_are_remembered(
    library: Library, model: Model, draws: list[int]
) -> None:
    retriever = Retriever(model, [library], remember=1)
    for steering in (PLAIN, PLAIN, PLAIN.but(seed=1), PLAIN):
        retriever.search(steering, 1)
    assert len(draws) == 3
    retriever.refresh()
    retriever.search(PLAIN, 1)
    assert len(draws) == 4, "what is indexed may have changed the source of an edit"


def test_a_passage_is_inverted_once_while_its_edit_changes(
    library: Library, model: Model, draws: list[int]
) -> None:
    path = str(library.tracks()[0].path)
    tried = PLAIN.but(edit=Edit(path, 0.0, 0.6))
    retriever = Retriever(model, [library])
    answers = [retriever.query(tried.but(guidance=g)).vectors for g in (1.0, 3.0, 5.0)]
    assert len(draws) == 1 + 3, "once for the round trip"
    fresh = Retriever(model, [library]).query(tried.but(guidance=5.0)).vectors
    np.testing.assert_array_equal(answers[-1], fresh)
    retriever.query(tried.but(edit=Edit(path, 0.0, 0.6, "piano")))
    assert len(draws) == 6 + 2, "other words for the source give another noise"


def test_another_strength_needs_no_draw(library: Library, model: Model, draws: list[int]) -> None:
    path = str(library.tracks()[0].path)
    retriever = Retriever(model, [library], remember=1)
    weak, full = (
        retriever.query(PLAIN.but(edit=Edit(path, 0.0, strength))) for strength in (0.3, 1.0)
    )
    assert len(draws) == 2
    on_the_line = 0.7 * full.source + 0.3 * full.vectors
    np.testing.assert_allclose(weak.vectors, unit(on_the_line), atol=1e-6)


def test_an_edit_takes_steps_of_ddim_whatever_the_sampler(library: Library, model: Model) -> None:
    tried = PLAIN.but(edit=Edit(str(library.tracks()[0].path), 0.0, 0.6), steps=5)
    retriever = Retriever(model, [library])
    by_ddim = tried.but(sampler=Sampler.DDIM)
    answers = [retriever.query(each).vectors for each in (tried, by_ddim)]
    np.testing.assert_array_equal(*answers)


def test_a_pull_acts_inside_the_draw_so_it_is_drawn_again(
    library: Library, model: Model, draws: list[int]
) -> None:
    retriever = Retriever(model, [library], remember=4)
    liked = (str(library.tracks()[0].path),)
    retriever.search(PLAIN.but(pull=0.5), 1)
    retriever.search(PLAIN.but(pull=0.5, likes=liked), 1)
    assert len(draws) == 2


def test_a_little_pull_keeps_the_words(library: Library, model: Model) -> None:
    retriever = Retriever(model, [library])
    prompts = ("warm piano", "driving techno", "sad slow strings", "loud rock")
    to_liked, to_words = {}, {}
    for pull in (0.0, PULL, 0.5):
        near: list[tuple[float, float]] = []
        for prompt in prompts:
            words = retriever.query(Steering(prompt), "contrastive").vectors[0]
            for track in library.tracks()[:3]:
                liked = Steering(prompt, draws=4, likes=(str(track.path),), pull=pull)
                towards = unit(retriever.drawer.drawn(liked).vectors.mean(0))
                own = retriever.drawer.point_of(str(track.path))
                near.append((float(towards @ own), float(towards @ words)))
        to_liked[pull], to_words[pull] = np.mean(near, axis=0)
    assert to_liked[0.0] + 0.3 < to_liked[PULL] < to_liked[0.5] - 0.1
    assert to_words[PULL] > 0.85 * to_words[0.0]
    assert to_words[0.5] < 0.75 * to_words[0.0]


def test_a_draw_votes_for_its_best_quarter_at_most(library: Library, model: Model) -> None:
    results = Retriever(model, [library]).search(PLAIN, 9)
    recordings = len({hit.track.content for hit in results.hits})
    assert recordings == 5
    by_content = {hit.track.content: hit.votes for hit in results.hits}
    assert sum(by_content.values()) == PLAIN.draws, "each of the draws found one of the five"


def test_copies_share_a_result_and_are_both_counted(library: Library, model: Model) -> None:
    results = Retriever(model, [library]).search(PLAIN, 9)
    assert results.tracks_searched == len(library.tracks()) == len(results.hits) + 1
    copies = next(same for same in by_content(library.tracks()).values() if len(same) == 2)
    listed = {hit.track.path: hit.copies for hit in results.hits}
    assert listed[copies[0].path] == (copies[1],)
    assert not any(same for path, same in listed.items() if path != copies[0].path)


def test_every_file_can_be_listed_for_itself(library: Library, model: Model) -> None:
    results = Retriever(model, [library]).search(PLAIN, 9, every_file=True)
    assert results.tracks_searched == len(results.hits) == len(library.tracks())
    copies = next(same for same in by_content(library.tracks()).values() if len(same) == 2)
    listed = {hit.track.path: hit.score for hit in results.hits}
    assert listed[copies[0].path] == listed[copies[1].path]


def test_a_search_for_no_results_is_refused(library: Library, model: Model) -> None:
    with pytest.raises(UsageError, match="cannot return 0 results; ask for 1 or more"):
        Retriever(model, [library]).search(PLAIN, 0)


def test_a_ranking_has_every_track_with_the_scores_of_the_answer_and_reads_no_latents(
    library: Library, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever = Retriever(model, [library])
    query = retriever.query(PLAIN.but(dislikes=(str(library.tracks()[0].path),)))
    answer = retriever.answer(query, 3, "path ~ ogg", every_file=True)
    monkeypatch.setattr(Library, "latents", None)
    ranking = retriever.rank(query, "path ~ ogg")
    assert ranking.competing == len(ranking.tracks) == answer.tracks_searched
    assert (ranking.filtered, ranking.banned) == (answer.filtered, answer.banned)
    first = [(r.track, r.score, r.votes, r.start_s, r.end_s) for r in ranking.tracks[:3]]
    assert first == [(h.track, h.score, h.votes, h.start_s, h.end_s) for h in answer.hits]
