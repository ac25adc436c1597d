"""The states of the features, without a screen: what is searched, listed and shown next."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stand_in import hits, track

from gdr_model.errors import UsageError
from gdr_model.explanation import Interpretation
from gdr_model.steering import Edit, Sampler, Steering, WeightedText
from gdr_model.types import Query, Results
from gdr_tui.app.edit.state import EditState, Source
from gdr_tui.app.explain.state import ExplainState
from gdr_tui.app.library.state import LibraryState
from gdr_tui.app.main.notices import READING_S, Notices
from gdr_tui.app.map.points import Course, Mapped
from gdr_tui.app.map.state import MapState
from gdr_tui.app.search.messages import SearchAnswered, SearchRefused
from gdr_tui.app.search.queries import Queries
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.trail import Ask, Node, Trail
from gdr_tui.app.values import Catalogue, Indexed, measured

WARM = Steering("warm dub")


def results(steering: Steering = WARM, count: int = 5, draws: int = 8) -> Results:
    query = Query(np.zeros((draws, 4), np.float32), steering)
    return Results(hits(steering, count), query, 30, 0.8, 0.1, 0.1)


def node(steering: Steering = WARM, count: int = 5, draws: int = 8) -> Node:
    return Node(1, Ask(steering), results(steering, count, draws), None, "warm")


# Search: which query is the latest


class Drawn:
    """Remembers what was to be drawn."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, Ask, bool]] = []
        self.cancelled = 0

    def ask(self, number: int, ask: Ask, k: int, *, quiet: bool) -> None:
        self.asked.append((number, ask, quiet))

    def cancel(self) -> None:
        self.cancelled += 1


def queries(jobs: Drawn) -> Queries:
    made = Queries(jobs, Trail(), Settings())
    made.draft.prompt = "warm dub"
    made.has_model = True
    return made


def answer(jobs: Drawn, took_s: float = 0.3) -> SearchAnswered:
    """The answer to what was asked last."""
    number, ask, quiet = jobs.asked[-1]
    return SearchAnswered(number, ask, results(ask.steering), took_s, quiet)


def test_a_query_waits_for_the_model_and_is_asked_once_it_is_there() -> None:
    jobs = Drawn()
    made = queries(jobs)
    made.has_model = False
    made.ask()
    assert made.waiting
    assert not jobs.asked
    made.has_model = True
    made.ask()
    assert (made.waiting, made.busy) == (False, True)
    assert [ask.steering.prompt for _, ask, _ in jobs.asked] == ["warm dub"]


def test_only_the_latest_query_may_answer() -> None:
    jobs = Drawn()
    made = queries(jobs)
    made.ask()
    stale = answer(jobs)
    made.draft.prompt = "cold dub"
    made.ask()
    assert made.answered(stale) is None
    assert made.busy
    fresh = made.answered(answer(jobs, took_s=0.5))
    assert fresh is made.trail.current
    assert made.took_s == 0.5
    assert not made.busy


def test_a_refusal_is_shown_unless_it_is_stale_or_the_user_asked_nothing() -> None:
    jobs = Drawn()
    made = queries(jobs)
    made.ask()
    number = jobs.asked[-1][0]
    assert not made.refused(SearchRefused(number - 1, "no", quiet=False))
    assert made.busy
    assert made.refused(SearchRefused(number, "no", quiet=False))
    assert not made.busy
    assert not made.refused(SearchRefused(number, "no", quiet=True))


def test_tracks_that_arrive_while_a_query_is_drawn_are_let_in_after_it() -> None:
    jobs = Drawn()
    made = queries(jobs)
    made.ask_again()
    assert not jobs.asked, "there is nothing to ask again"
    made.ask()
    made.ask_again()
    made.ask_again()
    assert len(jobs.asked) == 1
    made.answered(answer(jobs))
    assert [quiet for _, _, quiet in jobs.asked] == [False, True]
    made.answered(answer(jobs, took_s=9.0))
    assert len(jobs.asked) == 2, "once is enough"
    assert made.took_s == 0.3, "the user did not wait for that one"
    assert len(made.trail) == 1


def test_going_back_drops_the_query_under_way_and_drafts_what_was_asked() -> None:
    jobs = Drawn()
    made = queries(jobs)
    made.ask()
    first = made.answered(answer(jobs))
    assert first
    made.reroll()
    made.ask()
    late = answer(jobs)
    made.return_to(first)
    assert jobs.cancelled == 1
    assert made.answered(late) is None
    assert made.draft.ask() == first.ask
    made.reroll()
    assert made.draft.steering.roll == 1, "the roll of a query that never came is free"


def test_a_query_of_an_earlier_session_is_asked_again_when_it_is_returned_to() -> None:
    jobs = Drawn()
    made = queries(jobs)
    old = made.trail.answer(Ask(WARM), results())
    old.stale = True
    made.return_to(old)
    assert [(ask, quiet) for _, ask, quiet in jobs.asked] == [(old.ask, True)]


def test_a_draft_without_words_is_refused_and_nothing_is_asked() -> None:
    jobs = Drawn()
    made = queries(jobs)
    made.draft.prompt = " "
    with pytest.raises(UsageError):
        made.ask()
    assert not jobs.asked
    assert not made.busy


# Explain: which interpretation is listed


def interpretation(*names: str) -> Interpretation:
    return Interpretation(names, results(count=2, draws=4))


def test_interpretations_are_stepped_through_and_end_with_all_draws() -> None:
    state, here = ExplainState(), node()
    assert state.enter(here), "they have to be found"
    state.put(here, (interpretation("jazz"), interpretation("dub")))
    assert not state.enter(here), "they are known"
    visited = []
    for _ in range(4):
        visited.append(state.chosen(here))
        state.choose(state.after(here))
    assert visited == [0, 1, 2, 0]


def test_another_query_is_listed_whole_and_the_same_keeps_its_interpretation() -> None:
    state, here, other = ExplainState(), node(), node(Steering("cold"))
    jazz = interpretation("jazz")
    for one in (here, other):
        state.enter(one)
        state.put(one, (jazz, interpretation("dub")))
    state.enter(here)
    state.choose(1)
    assert state.listed(here) is jazz
    assert state.listed(other) is None
    state.enter(here)
    assert state.listed(here) is jazz
    state.enter(other)
    state.enter(here)
    assert state.listed(here) is None


def test_interpretations_of_results_that_were_replaced_are_forgotten() -> None:
    state, here = ExplainState(), node()
    state.enter(here)
    state.put(here, (interpretation("jazz"), interpretation("dub")))
    state.choose(2)
    here.results = results()
    assert state.of(here) == ()
    assert state.listed(here) is None
    assert state.enter(here)


@pytest.mark.parametrize(("count", "draws"), [(0, 8), (5, 1), (5, 0)])
def test_what_has_no_results_or_one_draw_has_no_interpretations(count: int, draws: int) -> None:
    assert not ExplainState().enter(node(count=count, draws=draws))


def test_only_the_latest_question_why_is_answered() -> None:
    state = ExplainState()
    first, second = state.ask_why(), state.ask_why()
    assert not state.is_latest(first)
    assert state.is_latest(second)


# Map: the query on it


def test_a_query_is_on_the_map_once_there_is_a_map() -> None:
    state, here = MapState(), node()
    assert state.query(here, here.results) is None
    tracks = [track(number) for number in range(3)]
    state.mapped = Mapped.of(tracks, np.zeros((3, 2), np.float32), "PCA", 3)
    assert state.query(None, None) is None
    shown = state.query(here, here.results)
    assert shown
    assert (shown.prompt, shown.course) == ("warm dub", None)
    assert shown.results == tuple(hit.track.path for hit in here.results.hits)
    course = Course(np.zeros((8, 2)), np.zeros((1, 2)))
    again = state.query(here, None, course)
    assert again
    assert (again.results, again.course) == ((), course)


# Library: what is said of indexing


def test_progress_from_loading_to_the_end() -> None:
    state = LibraryState()
    said = [state.progress()]
    state.model_ready = True
    said.append(state.progress())
    state.indexing = measured(3, 30, 2.0, Path("/music/a\x1bb.flac"))
    said.append(state.progress())
    state.paused = True
    said.append(state.progress())
    notices = state.finish(Indexed(encoded=28, failed=2, took_s=61.0))
    said.append(state.progress())
    assert said[:2] == ["indexing waits for the model", "nothing is being indexed"]
    assert said[2] == "indexing 3 of 30 · 1.5 files/s · 0:18 left · a\\x1bb.flac"
    assert said[3].startswith("paused at 3 of 30")
    assert said[4].startswith("up to date")
    assert said[4].endswith("1:01")
    assert notices == [("2 files could not be read; L lists them", False)]
    assert state.failed == 2


def test_what_could_not_be_indexed_is_a_problem_each() -> None:
    state = LibraryState(catalogue=Catalogue(count=5, failures=7))
    assert state.failed == 7
    notices = state.finish(Indexed(problems=("one is gone", "two is locked")))
    assert notices == [("one is gone", True), ("two is locked", True)]
    assert state.progress() == "not indexed: one is gone; two is locked"


def test_a_model_that_fails_while_loading_stops_indexing_and_a_later_failure_does_not() -> None:
    state = LibraryState()
    state.fail("model")
    assert state.progress() == "not indexed: the model could not be loaded"
    ready = LibraryState(model_ready=True, indexing=measured(1, 2, 1.0))
    ready.fail("model")
    assert not ready.model_failed
    ready.fail("index")
    assert ready.progress() == "nothing is being indexed"


# Edit: from fields to a query


def editing() -> EditState:
    steering = WARM.but(likes=("/music/001.flac",), seed=5, sampler=Sampler.HEUN)
    source = Source.result(track(1), 64.0, "warm dub")
    return EditState(source, steering, "year > 1970", results(), 0.6)


def test_an_edit_changes_what_the_panel_has_and_nothing_else() -> None:
    state = editing()
    ask = state.ask("  warm strings ", "drums, vocals:0.5", 0.4, 4.0, 20)
    assert ask.where == "year > 1970"
    assert ask.steering == state.steering.but(
        prompt="warm strings",
        negatives=(WeightedText("drums"), WeightedText("vocals", 0.5)),
        guidance=4.0,
        steps=20,
        sampler=Sampler.DPM,
        edit=Edit(str(track(1).path), 64.0, 0.4, "warm dub"),
    )


def test_an_edit_without_words_is_refused() -> None:
    with pytest.raises(UsageError):
        editing().ask(" ", "", 0.4, 4.0, 20)


def test_an_earlier_edit_is_edited_from_the_same_passage() -> None:
    edit = Edit("C:\\Music\\a\x1b[2J.flac", 12.0, 0.3, "under these words")
    source = Source.of(edit, "cold")
    assert source.title == "a\\x1b[2J.flac"
    assert (source.start_s, source.from_prompt, source.words) == (12.0, "under these words", "cold")


# Notices: what may be said


def test_a_sentence_is_not_repeated_at_once_and_a_problem_stays_a_while() -> None:
    notices = Notices()
    assert notices.admit("marked", False, 0.0) == (True, True)
    assert notices.admit("marked", False, READING_S / 2) == (False, False)
    assert notices.admit("the disk is full", True, READING_S / 2) == (True, True)
    assert notices.admit("copied", False, READING_S) == (True, False), "the problem stays"
    assert notices.admit("copied", False, 3 * READING_S) == (True, True)
