"""A user types, and the list follows: in grey, until Enter keeps it."""

from __future__ import annotations

import pytest
from driving import NARROW, WIDE, asked, burst, labels, main, names, opened, picture, said, until
from stand_in import StandIn
from textual.pilot import Pilot
from textual.widgets import Input

from gdr_model.errors import Cancelled
from gdr_model.steering import Steering, WeightedText
from gdr_model.types import Cancel, Results, never
from gdr_tui.app.background import Background
from gdr_tui.app.messages import TracksArrived
from gdr_tui.app.previews import PreviewFound, Previews
from gdr_tui.app.search.prompt import Completions
from gdr_tui.app.settings import Settings
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.trail.trail import Ask


def typed(pilot: Pilot[None]) -> list[str]:
    """The tracks of the greyed list; none where it is not shown."""
    covering = main(pilot).search.typed.list
    return [track.name for track in covering.tracks] if covering.display else []


async def type_line(pilot: Pilot[None], line: str) -> None:
    """Put a line in as if typed."""
    box = pilot.app.query_one("#prompt", Input)
    box.focus()
    await until(pilot, lambda: box.has_focus)
    box.value = line


async def test_sees_what_the_line_would_find_and_keeps_it_with_enter() -> None:
    session = StandIn()
    async with opened(session).run_test(size=WIDE) as pilot:
        await asked(pilot, "cold")
        before = names(pilot)
        await type_line(pilot, "warm piano -drums:0.5 genre:jazz")
        await until(pilot, lambda: typed(pilot))
        steering, where = session.asked[-1]
        assert (steering.prompt, where) == ("warm piano", "genre = jazz")
        assert steering.negatives == (WeightedText("drums", 0.5),)
        assert "as typed · 20 of 30 · Enter keeps it" in picture(pilot)
        assert labels(pilot) == ["“cold”"], "what is typed is not in the trail"
        assert not main(pilot).search.state.draft.steering.negatives, "nor in the draft"
        assert names(pilot) == before
        shown, drawn = typed(pilot), len(session.asked)
        await pilot.press("enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert names(pilot) == shown
        assert not typed(pilot)
        assert len(session.asked) == drawn, "nothing is drawn twice"
        assert "results · 20 of 30" in picture(pilot)


async def test_enter_waits_for_the_draw_under_way() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        session.slow_s = 1.0
        await type_line(pilot, "warm")
        await until(pilot, lambda: session.asked)
        await pilot.press("enter")
        assert main(pilot).search.state.busy
        await until(pilot, lambda: labels(pilot) == ["“warm”"])
        assert len(session.asked) == 1
        assert session.cancelled == 0


@pytest.mark.parametrize("key", ["escape", "tab"])
async def test_leaving_the_line_brings_the_list_back_as_it_was(key: str) -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "zz")
        await pilot.press("j", "j", "j")
        before = (names(pilot), main(pilot).search.results.cursor)
        await type_line(pilot, "warm xyz")
        await until(pilot, lambda: typed(pilot))
        await pilot.press(key)
        await until(pilot, lambda: not typed(pilot))
        assert (names(pilot), main(pilot).search.results.cursor) == before
        assert main(pilot).search.results.has_focus
        assert main(pilot).search.typed._previews.tried is None
        await pilot.pause(0.3)
        assert not typed(pilot)
        assert labels(pilot) == ["“zz”"]


async def test_escape_brings_the_list_back_where_completions_are_open_too() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.prompt.tags)
        await asked(pilot, "warm dub")
        await type_line(pilot, "warm")
        await until(pilot, lambda: typed(pilot))
        assert pilot.app.query_one(Completions).open
        assert "─as typed · 20 of 30 · Enter keeps it─" in picture(pilot), "they cover no title"
        await pilot.press("escape")
        assert not typed(pilot)
        assert main(pilot).search.prompt.box.has_focus, "the line is still being typed"


async def test_a_completion_is_previewed_as_it_is_walked_to() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.prompt.tags)
        await type_line(pilot, "slow genre:te")
        await until(pilot, lambda: main(pilot).search.prompt.completions.open)
        await pilot.press("down")
        await until(pilot, lambda: session.asked and session.asked[-1][1] == "genre = techno")


async def test_a_line_that_changes_is_drawn_once_and_the_draw_under_way_is_cancelled() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "zz")
        session.slow_s = 30
        await type_line(pilot, "warm")
        await until(pilot, lambda: len(session.asked) == 2)
        await type_line(pilot, "warm p")
        await until(pilot, lambda: session.cancelled == 1)
        session.slow_s = 0
        await until(pilot, lambda: typed(pilot))
        assert session.asked[-1][0].prompt == "warm p"


async def test_an_answer_to_an_earlier_line_is_dropped() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "zz")
        await type_line(pilot, "warm")
        await until(pilot, lambda: typed(pilot))
        previews = main(pilot).search.typed._previews
        stale = previews.tried
        assert stale
        before = typed(pilot)
        await type_line(pilot, "cold")
        await until(pilot, lambda: typed(pilot) not in ([], before))
        after = typed(pilot)
        main(pilot).post_message(PreviewFound(stale, stale.wait(never)))
        await pilot.pause(0.05)
        assert typed(pilot) == after


@pytest.mark.parametrize(
    "line", ["", "   ", "warm year:abc", "warm -per-artist:1", "warm like:99", "warm like:2", "zz"]
)
async def test_a_line_that_asks_nothing_new_draws_nothing_and_says_nothing(line: str) -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "zz")
        told = said(pilot)
        await type_line(pilot, "something else")
        await until(pilot, lambda: typed(pilot))
        drawn = len(session.asked)
        await type_line(pilot, line)
        await pilot.pause(0.4)
        assert len(session.asked) == drawn
        assert said(pilot) == told
        assert bool(typed(pilot)) == ("year" in line or "per-artist" in line)


async def test_says_nothing_of_the_words_until_enter() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await type_line(pilot, "far away, no drums")
        await until(pilot, lambda: typed(pilot))
        assert said(pilot) == []
        await pilot.press("enter")
        await until(pilot, lambda: "nothing here is close to this" in said(pilot)[-1])
        assert "read “no drums” as −drums" in said(pilot)[-1]


async def test_a_filter_that_leaves_nothing_is_seen_while_it_is_typed() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "zz")
        await type_line(pilot, "warm genre:nothing")
        await until(pilot, lambda: "the filter excluded every track" in picture(pilot))


async def test_a_draw_that_fails_is_silent_until_enter() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "zz")
        session.fails = "search"
        await type_line(pilot, "warm")
        await until(pilot, lambda: len(session.asked) == 2)
        await pilot.pause(0.1)
        assert not typed(pilot)
        assert not said(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: any("the model tripped" in one for one in said(pilot)))


async def test_what_is_typed_before_the_model_is_there_is_drawn_once_it_is() -> None:
    session = StandIn()
    session.may_load.clear()
    async with opened(session).run_test(size=NARROW) as pilot:
        await type_line(pilot, "warm")
        await pilot.pause(0.3)
        assert not session.asked
        session.may_load.set()
        await until(pilot, lambda: typed(pilot))


async def test_tracks_that_arrive_are_let_into_the_preview() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await type_line(pilot, "warm")
        await until(pilot, lambda: typed(pilot))
        assert len(session.asked) == 1
        session.tracks = 40
        main(pilot).post_message(TracksArrived())
        await until(pilot, lambda: "as typed · 20 of 40" in picture(pilot))


async def test_a_click_on_the_preview_keeps_it() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await type_line(pilot, "warm xyz")
        await until(pilot, lambda: typed(pilot))
        await pilot.click("#typed", offset=(20, 4))
        await until(pilot, lambda: labels(pilot) == ["“warm xyz”"])
        assert main(pilot).search.results.has_focus


async def test_nothing_is_auditioned_that_is_only_typed() -> None:
    async with opened(StandIn(), Settings(audition=True)).run_test(size=NARROW) as pilot:
        await asked(pilot, "zz")
        playing = main(pilot).playback.state
        await until(pilot, lambda: playing.path)
        heard, chosen = playing.path, main(pilot).playback.panel.track
        await type_line(pilot, "warm")
        await until(pilot, lambda: typed(pilot))
        await pilot.press("pagedown")
        await pilot.pause(0.5)
        assert (playing.path, main(pilot).playback.panel.track) == (heard, chosen)


async def test_switched_off_the_list_waits_for_enter() -> None:
    session = StandIn()
    async with opened(session, Settings(as_you_type=False)).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await type_line(pilot, "warm")
        await pilot.pause(0.4)
        assert not session.asked
        await pilot.press("enter")
        await until(pilot, lambda: labels(pilot) == ["“warm”"])


async def test_going_back_in_the_trail_ends_the_preview() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "one")
        await asked(pilot, "two")
        await type_line(pilot, "warm")
        await until(pilot, lambda: typed(pilot))
        main(pilot).trail.action_undo()
        await until(pilot, lambda: main(pilot).node.label == "“one”")  # type: ignore[union-attr]
        assert not typed(pilot)
        await pilot.pause(0.3)
        assert not typed(pilot)


async def test_a_kept_edit_takes_over_its_preview() -> None:
    session = StandIn()
    async with opened(session).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("i", "end", *" strings")
        await until(pilot, lambda: session.asked[-1][0].prompt == "warm strings")
        drawn = len(session.asked)
        await pilot.press("enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert len(session.asked) == drawn


def test_whoever_waits_for_a_cancelled_try_is_let_go() -> None:
    session = StandIn(slow_s=30)
    background = Background()

    def find(ask: Ask, k: int, cancelled: Cancel) -> Results:
        return session.search(ask.steering, k, "", cancelled)

    previews = Previews(Tasks(background, lambda _: None), find)
    ask = Ask(Steering("warm"))
    previews.try_out(ask, 5)
    taken = previews.take_over(ask)
    assert taken
    with pytest.raises(Cancelled):
        taken.wait(lambda: True)
    background.cancel("preview")
    assert taken.wait(never) is None
    assert previews.take_over(ask) is None
    background.stop()


async def test_one_more_word_follows_those_asked_for() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "slow")
        burst(pilot, "Avoices\r")
        await until(pilot, lambda: len(main(pilot).search.state.trail) == 2)
        assert labels(pilot)[-1] == "“slow, voices”"
        await pilot.press("A", "escape")
        assert not typed(pilot)
        await pilot.press("r")
        await until(pilot, lambda: len(main(pilot).search.state.trail) == 3)
        assert labels(pilot)[-1] == "spread 0.5", "the words are those before"
        await pilot.press("A", "A", *"bc", "enter")
        await until(pilot, lambda: len(main(pilot).search.state.trail) == 4)
        assert labels(pilot)[-1] == "“slow, voices, Abc”, closest"
