"""A user inverts a result and tries other words and strengths before keeping one."""

import numpy as np
from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, said, until
from stand_in import StandIn
from textual.widgets import Input

from gdr_model.steering import WeightedText
from gdr_tui.app.edit.dial import Dial
from gdr_tui.app.edit.difference import DifferenceList
from gdr_tui.app.edit.panel import EditPanel
from gdr_tui.app.edit.state import weighted
from gdr_tui.app.main.screen import MainScreen
from gdr_tui.app.search.row.chips import Chips


async def test_edits_a_result_it_almost_likes() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("j")
        hit = main(pilot).search.results.hit
        assert hit
        await pilot.press("i")
        assert isinstance(pilot.app.screen, EditPanel)
        await pilot.press("end", *" strings", "tab", *"drums:0.5", "tab", *["left"] * 4, "enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert isinstance(pilot.app.screen, MainScreen)
        steering = session.asked[-1][0]
        assert steering.edit
        assert steering.edit.path == str(hit.track.path)
        assert steering.edit.start_s == hit.start_s
        assert steering.edit.strength == 0.4
        assert steering.edit.from_prompt == "warm"
        assert steering.prompt == "warm strings"
        assert steering.negatives == (WeightedText("drums", 0.5),)
        stem = hit.track.path.stem
        assert labels(pilot)[-1] == f"edit 0.4 of {stem}: warm strings, − drums:0.5"
        assert "edit 0.4 of" in picture(pilot)
        assert main(pilot).query_one("#prompt", Input).value == "warm strings"


async def test_a_negation_in_the_words_of_an_edit_is_pushed_away_from() -> None:
    session = StandIn()
    async with opened(session).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("i", "end", *", no drums +bells genre:jazz")
        await until(pilot, lambda: "read “no drums” as −drums" in picture(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        steering, where = session.asked[-1]
        assert (steering.prompt, where) == ("warm", "genre = jazz")
        assert steering.negatives == (WeightedText("drums"),)
        assert [slider.text for slider in steering.sliders] == ["bells"]


async def test_sees_what_comes_and_goes_while_a_dial_turns() -> None:
    session = StandIn()
    async with opened(session).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        before = names(pilot)
        await pilot.press("i", "tab", "tab")
        await until(pilot, lambda: " moved" in picture(pilot))
        assert "before · 20" in picture(pilot)
        assert "round trip 0.988" in picture(pilot)
        assert "★new" in picture(pilot)
        assert "✕out" in picture(pilot)
        await pilot.press("right", "right", "right")
        await until(pilot, lambda: session.asked[-1][0].edit.strength == 0.75)  # type: ignore[union-attr]
        await pilot.press("tab", "left", "tab", *["right"] * 3)
        await until(pilot, lambda: session.asked[-1][0].steps == 9)
        assert session.asked[-1][0].guidance == 2.5
        assert len(labels(pilot)) == 1, "what is only tried is not in the trail"
        await pilot.press("escape")
        assert names(pilot) == before
        assert main(pilot).search.state.draft.steering.edit is None


async def test_a_try_that_is_overtaken_is_dropped() -> None:
    session = StandIn(slow_s=0.0)
    async with opened(session).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        session.slow_s = 30
        await pilot.press("i", "tab", "tab")
        await until(pilot, lambda: len(session.asked) == 2)
        assert "drawing …" in picture(pilot)
        session.slow_s = 0
        await pilot.press("right")
        await until(pilot, lambda: " moved" in picture(pilot))
        await until(pilot, lambda: session.cancelled == 1)
        assert session.asked[-1][0].edit.strength == 0.65  # type: ignore[union-attr]


async def test_what_cannot_be_drawn_is_said_in_the_panel() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("i")
        pilot.app.screen.query_one("#edit-prompt", Input).value = ""
        await until(pilot, lambda: "the prompt is empty" in picture(pilot))
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, EditPanel)
        pilot.app.screen.query_one("#edit-prompt", Input).value = "cold"
        pilot.app.screen.query_one("#edit-negatives", Input).value = "drums:9"
        await until(pilot, lambda: "weight of a negative" in picture(pilot))
        session.fails = "search"
        pilot.app.screen.query_one("#edit-negatives", Input).value = "drums"
        await until(pilot, lambda: "the model tripped" in picture(pilot))
        await pilot.press("escape")
        assert len(labels(pilot)) == 1


async def test_an_edit_needs_a_result_and_inverts_under_the_words_that_found_it() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await pilot.press("escape", "i")
        assert any("then press i to edit it" in sentence for sentence in said(pilot))
        await asked(pilot, "warm")
        await pilot.press("slash", *"half typed", "escape", "i")
        assert pilot.app.screen.query_one("#edit-prompt", Input).value == "warm"
        await pilot.press("enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        assert session.asked[-1][0].edit.from_prompt == "warm"  # type: ignore[union-attr]


async def test_changes_an_edit_by_its_chip_and_keeps_its_source() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("j", "j", "i", "enter")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        source = session.asked[-1][0].edit
        await pilot.press("g")
        main(pilot).query_one(Chips).focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, EditPanel))
        assert pilot.app.screen.query_one("#edit-prompt", Input).value == "warm"
        await pilot.press("down", "down", "right", "enter")
        await until(pilot, lambda: len(labels(pilot)) == 3)
        edit = session.asked[-1][0].edit
        assert edit
        assert source
        assert (edit.path, edit.start_s) == (source.path, source.start_s)
        assert edit.strength == 0.65


async def test_turns_a_dial_with_the_pointer_and_not_beyond_its_ends() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("i")
        dial = pilot.app.screen.query_one("#edit-strength", Dial)
        await pilot.click("#edit-strength", offset=(10, 0))
        assert dial.value == 0.05
        await pilot.click("#edit-strength", offset=(49, 0))
        assert dial.value == 1.0
        await pilot.press("right")
        assert dial.value == 1.0
        await pilot.press("home", "minus", "l")
        assert dial.value == 0.1
        await pilot.press("end", "h")
        assert dial.value == 0.95


async def test_pages_through_both_lists() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("i")
        await until(pilot, lambda: " moved" in picture(pilot))
        await pilot.press("pagedown", "pagedown")
        tops = [half.scroll_offset.y for half in pilot.app.screen.query(DifferenceList)]
        assert tops[0] == tops[1] > 0


def test_negatives_are_typed_with_commas() -> None:
    assert weighted("drums, heavy vocals:0.5 ,, drums:2") == (
        WeightedText("drums", 2.0),
        WeightedText("heavy vocals", 0.5),
    )
    assert weighted(" ") == ()
    assert np.isfinite([n.weight for n in weighted("a,b:3")]).all()
