"""A user searches, steers and edits, on a session with fixed answers."""

import pytest
from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, said, until
from stand_in import StandIn
from textual import events
from textual.widgets import Input

from gdr_model.steering import WeightedText
from gdr_tui.app.search.row.chips import Chips
from gdr_tui.app.trail.compare_dialog import CompareDialog


async def test_types_a_prompt_and_gets_results() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm dub")
        assert session.asked[-1][0].prompt == "warm dub"
        assert main(pilot).search.results.has_focus
        assert "results · 20 of 30" in picture(pilot)
        assert labels(pilot) == ["“warm dub”"]


async def test_is_told_what_the_model_thinks_of_the_prompt() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "far away")
        await until(pilot, lambda: "nothing here is close to this" in said(pilot))
        await asked(pilot, "far away, no drums")
        both = (
            'read “no drums” as −drums; in "quotes" it stays words · nothing here is close to this'
        )
        await until(pilot, lambda: both in said(pilot))


async def test_sees_the_library_before_the_model_and_may_already_ask() -> None:
    session = StandIn()
    session.may_load.clear()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: names(pilot))
        assert "library · 30 tracks" in picture(pilot)
        await pilot.press(*"warm", "enter")
        assert main(pilot).search.state.waiting
        assert "the query waits for it" in picture(pilot)
        assert not session.asked
        session.may_load.set()
        await until(pilot, lambda: labels(pilot) == ["“warm”"])


async def test_pushes_away_drums_and_takes_it_back() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("n", *"drums:0.5", "enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert session.asked[-1][0].negatives == (WeightedText("drums", 0.5),)
        assert "− drums 0.5 ×" in picture(pilot)
        assert "▲" in picture(pilot) or "▼" in picture(pilot)
        await pilot.press("x")
        await until(pilot, lambda: len(labels(pilot)) == 3)
        assert labels(pilot)[-1] == "no − drums"


async def test_clicks_a_chip_away() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("n", *"drums", "enter")
        await pilot.press("n", *"vocals:2", "enter")
        await until(pilot, lambda: len(main(pilot).search.state.draft.steering.negatives) == 2)
        await pilot.click(Chips, offset=(9, 0))
        draft = main(pilot).search.state.draft
        await until(pilot, lambda: draft.steering.negatives == (WeightedText("vocals", 2.0),))


async def test_turns_the_spread_three_times_and_asks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Slow machines press keys slowly.
    monkeypatch.setattr("gdr_tui.app.search.feature.SETTLE_S", 3.0)
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("plus", "plus", "minus")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert labels(pilot)[-1] == "spread 0.25"
        assert len(session.asked) == 2


async def test_the_first_list_is_the_closest_and_every_roll_after_it_another_draw() -> None:
    session = StandIn()
    async with opened(session).run_test(size=(120, 30)) as pilot:
        await asked(pilot, "warm")
        assert "closest, 8 draws" in picture(pilot)
        await pilot.press("r")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert "spread 0.5, roll 1" in picture(pilot)
        await pilot.press("u", "r")
        await until(pilot, lambda: len(labels(pilot)) == 3)
        assert "spread 0.5, roll 2" in picture(pilot)
        await pilot.press("plus")
        await until(pilot, lambda: len(labels(pilot)) == 4)
        assert "spread 0.75, roll 2" in picture(pilot)
        made = [(steering.spread, steering.roll) for steering, _ in session.asked]
        assert made == [(0, 1), (0.5, 1), (0.5, 2), (0.75, 2)]
        assert {steering.seed for steering, _ in session.asked} == {0}


async def test_other_words_begin_with_their_closest_list() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("r")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        await asked(pilot, "cold")
        await pilot.press("r")
        await until(pilot, lambda: len(session.asked) == 4)
        made = [(s.prompt, s.spread, s.roll) for s, _ in session.asked]
        assert made == [("warm", 0, 1), ("warm", 0.5, 1), ("cold", 0, 1), ("cold", 0.5, 1)]


async def test_likes_and_bans_what_it_hears() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        first = main(pilot).search.results.track
        assert first
        await pilot.press("l")
        await until(pilot, lambda: session.asked[-1][0].likes == (str(first.path),))
        await until(pilot, lambda: not main(pilot).search.state.busy)
        assert main(pilot).search.results.track == first, "the cursor stays on the track"
        await pilot.press("b")
        await until(pilot, lambda: session.asked[-1][0].dislikes == (str(first.path),))
        assert session.asked[-1][0].likes == ()


async def test_opinions_rank_again_at_once_and_enter_draws_with_them() -> None:
    session = StandIn()
    async with opened(session).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("j", "j")
        banned = main(pilot).search.results.track
        assert banned
        await pilot.press("b")
        await until(pilot, lambda: banned.name not in names(pilot))
        assert main(pilot).search.results.cursor == 2, "the cursor stays on its line"
        assert session.asked[-1][0].pull == 0
        await pilot.press("enter")
        await until(pilot, lambda: session.asked[-1][0].pull == 0.2)
        await until(pilot, lambda: labels(pilot)[-1] == "drawn with ♥ ⊘ 0.2")
        assert "drawn with ♥ ⊘ 0.2 ×" in picture(pilot)
        await pilot.press("x", "x")
        await until(pilot, lambda: not session.asked[-1][0].dislikes)
        assert session.asked[-1][0].pull == 0


async def test_a_ban_does_not_wait_for_keys_to_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gdr_tui.app.search.feature.SETTLE_S", 3600)
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("b")
        await until(pilot, lambda: len(labels(pilot)) == 2)


async def test_is_told_that_all_that_is_left_is_banned() -> None:
    session = StandIn(tracks=1)
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        session.none_left = (0, 0, 1)
        await pilot.press("b")
        await until(pilot, lambda: not names(pilot))
        assert "the only track of the library is banned" in picture(pilot)
        session.none_left = (0, 29, 1)
        await pilot.press("f", *"genre = jazz and year > 2000", "enter")
        await until(pilot, lambda: "the filter leaves 1 track, and it is banned" in picture(pilot))
        await until(pilot, lambda: "genre = jazz: 12 tracks on its own" in picture(pilot))
        assert "year > 2000: 11 tracks on its own" in picture(pilot)


async def test_goes_back_branches_and_loses_nothing() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        first = names(pilot)
        await asked(pilot, "cold")
        second = names(pilot)
        await pilot.press("u")
        assert names(pilot) == first
        assert pilot.app.screen.query_one("#prompt", Input).value == "warm"
        await pilot.press("ctrl+r")
        assert names(pilot) == second
        await pilot.press("u", "r")
        await until(pilot, lambda: len(labels(pilot)) == 3)
        assert labels(pilot) == ["“warm”", "├─“cold”", "spread 0.5"]
        await pilot.press("t", "k", "enter")
        assert names(pilot) == second
        await pilot.press("u", "u")
        assert "this is where the session began" in said(pilot)


async def test_compares_with_the_query_before() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await pilot.press("escape", "c")
        assert any("nothing to compare" in sentence for sentence in said(pilot))
        await asked(pilot, "warm")
        await asked(pilot, "cold")
        await pilot.press("c")
        assert isinstance(pilot.app.screen, CompareDialog)
        assert "came" in picture(pilot)
        assert "“cold”" in picture(pilot)


async def test_filters_and_mends_a_filter_that_cannot_be_read() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("f", *"nonsense", "enter")
        assert "expected a field" in picture(pilot)
        pilot.app.screen.query_one(Input).value = "genre = jazz"
        await pilot.press("enter")
        await until(pilot, lambda: session.asked[-1][1] == "genre = jazz")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert labels(pilot)[-1] == "where genre = jazz"


async def test_is_told_that_the_filter_excluded_everything() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("f", *"nothing", "enter")
        await until(pilot, lambda: "the filter excluded every track: nothing" in picture(pilot))
        assert not names(pilot)


async def test_keys_that_arrive_at_once_are_taken_in_order() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        for key in (*"warn", "backspace", "m", "enter"):
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: session.asked)
        assert session.asked[0][0].prompt == "warm"
