"""A user likes tracks and presses Enter with an empty prompt: "similar to this"."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, said, until
from stand_in import StandIn, track
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from gdr_model.notebook.crates import Crates, CrateTrack
from gdr_model.notebook.database import Notebook
from gdr_model.steering import Steering, WeightedText
from gdr_tui.app.crates.screen import CratesScreen
from gdr_tui.app.edit.panel import EditPanel
from gdr_tui.app.explain.why_dialog import WhyDialog
from gdr_tui.app.trail.compare_dialog import CompareDialog
from gdr_tui.app.ui.export_dialog import ExportDialog
from gdr_tui.labels import asked_for


def likes(session: StandIn) -> tuple[str, ...]:
    """Of the query asked last, which has no words."""
    steering = session.asked[-1][0]
    assert steering.prompt == ""
    return steering.likes


async def liked_first(pilot: Pilot[Any], size: int = 1) -> None:
    """Like the first tracks of the library, and ask."""
    await until(pilot, lambda: names(pilot) and main(pilot).has_model)
    await pilot.press("escape")
    for _ in range(size):
        await pilot.press("l", "j")
    await pilot.press("enter")
    await until(pilot, lambda: main(pilot).search.state.trail.current)


async def test_likes_tracks_of_the_library_and_asks_with_enter() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: names(pilot) and main(pilot).has_model)
        await pilot.press("escape", "l")
        assert f"liked {track(0).name}; Enter finds more like it" in said(pilot)
        assert not session.asked, "others can be liked first"
        await pilot.press("j", "l", "enter")
        await until(pilot, lambda: labels(pilot) == ["like: 000, 001"])
        assert likes(session) == (str(track(0).path), str(track(1).path))
        assert track(0).name not in names(pilot)
        assert "♥ 000 ×   ♥ 001 ×" in picture(pilot)
        assert "draws" not in picture(pilot), "nothing was drawn"
        assert "agree" not in picture(pilot)
        # From now on a like is asked at once.
        third = main(pilot).search.results.track
        assert third
        await pilot.press("l")
        await until(pilot, lambda: likes(session)[2:] == (str(third.path),))
        await until(pilot, lambda: labels(pilot)[1:] == [f"like: 000, 001, {third.path.stem}"])
        await pilot.press("enter")
        await until(pilot, lambda: len(session.asked) == 3)
        assert session.asked[-1][0].pull == 0
        await pilot.press("u")
        assert main(pilot).search.state.draft.steering.likes == session.asked[0][0].likes
        assert main(pilot).query_one("#prompt", Input).value == ""


async def test_enter_in_an_empty_prompt_leaves_the_words_behind() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        first = main(pilot).search.results.track
        assert first
        await pilot.press("l")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        await pilot.press("slash", "ctrl+u", "enter")
        await until(pilot, lambda: len(labels(pilot)) == 3)
        assert likes(session) == (str(first.path),)
        assert labels(pilot)[-1] == f"like: {first.path.stem}"
        assert main(pilot).search.results.has_focus
        await pilot.press("c")
        assert isinstance(pilot.app.screen, CompareDialog)
        assert f"now     like: {first.path.stem}" in picture(pilot)
        await pilot.press("escape")
        # Words take over again, and the like moves what they draw.
        await asked(pilot, "cold")
        assert labels(pilot)[-1] == "“cold”"
        assert session.asked[-1][0] == Steering("cold", likes=(str(first.path),))


async def test_steers_without_words_and_takes_the_last_like_back() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await liked_first(pilot)
        await asked(pilot, "no drums genre:jazz")
        steering, where = session.asked[-1]
        assert likes(session) == (str(track(0).path),)
        assert steering.negatives == (WeightedText("drums"),)
        assert where == "genre = jazz"
        assert labels(pilot)[-1] == "− drums:1, where genre = jazz"
        await asked(pilot, "like:2")
        assert len(likes(session)) == 2
        await pilot.press("x")
        await until(pilot, lambda: not session.asked[-1][0].negatives)
        await until(pilot, lambda: not main(pilot).search.state.busy)
        before = len(session.asked)
        await pilot.press("x", "x", "enter")
        await until(pilot, lambda: any("the prompt is empty" in one for one in said(pilot)))
        assert len(session.asked) == before
        assert names(pilot), "the list stays"


async def test_what_only_acts_on_draws_says_so() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await liked_first(pilot)
        await pilot.press("r")
        assert any("there is nothing to roll" in sentence for sentence in said(pilot))
        await pilot.press("s")
        assert any("there is nothing to interpret" in sentence for sentence in said(pilot))
        await pilot.press("plus")
        assert any("there is nothing to spread" in sentence for sentence in said(pilot))
        assert len(session.asked) == 1
        await pilot.press("w")
        assert isinstance(pilot.app.screen, WhyDialog)
        await until(pilot, lambda: "♥ 000" in picture(pilot).split("why is this")[1])
        await pilot.press("escape", "i")
        assert isinstance(pilot.app.screen, EditPanel)
        await until(pilot, lambda: "the prompt is empty" in picture(pilot))
        await pilot.press(*" cold", "enter")
        await until(pilot, lambda: session.asked[-1][0].edit)
        assert session.asked[-1][0].edit.from_prompt == ""
        assert session.asked[-1][0].prompt == "cold"


async def test_what_is_found_is_named_by_the_like_everywhere() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await liked_first(pilot)
        await pilot.press("m", "M")
        assert isinstance(pilot.app.screen, CratesScreen)
        await until(pilot, lambda: "“like: 000”" in picture(pilot))
        await pilot.press("escape", "e")
        assert isinstance(pilot.app.screen, ExportDialog)
        assert pilot.app.screen.query_one(Input).value.endswith("gdr-like-000.m3u8")
        await pilot.press("escape", "v")
        await until(pilot, lambda: "“like: 000”" in picture(pilot))


def test_a_like_whose_name_is_no_text_is_named_in_a_crate() -> None:
    steering = Steering("", likes=(os.fsdecode(b"/music/caf\xe9.flac"),))
    kept = CrateTrack(Path("/music/a.flac"), "", "", "", "", 1.0, 0.0, asked_for(steering))
    with Notebook.open() as notebook:
        crates = Crates(notebook)
        crates.make("night")
        crates.add("night", [kept])
        assert crates.tracks("night")[0].prompt.startswith("like: caf")


async def test_the_next_day_the_trail_has_it_and_it_is_asked_again() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await liked_first(pilot)
        assert pilot.app.notebook.close(5)  # type: ignore[attr-defined]
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: labels(pilot) == ["like: 000"] and main(pilot).has_model)
        await pilot.press("escape", "ctrl+r")
        await until(pilot, lambda: session.asked)
        assert likes(session) == (str(track(0).path),)


async def test_a_file_dropped_on_an_empty_prompt_is_asked_at_once(tmp_path: Path) -> None:
    song = tmp_path / "3.flac"
    song.touch()
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: names(pilot) and main(pilot).has_model)
        pilot.app.post_message(events.Paste(shlex.quote(str(song))))
        await until(pilot, lambda: labels(pilot) == ["like: 3"])
        assert likes(session) == (str(song),)


@pytest.mark.parametrize("keys", [["l", "b"], ["l", "j", "b", "k", "l"]])
async def test_a_ban_needs_something_to_start_from(keys: list[str]) -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: names(pilot) and main(pilot).has_model)
        await pilot.press("escape", *keys, "enter")
        await until(pilot, lambda: any("the prompt is empty" in one for one in said(pilot)))
        assert not session.asked


async def test_is_told_that_nothing_but_the_likes_is_left() -> None:
    session = StandIn()
    session.none_left = (0, 0, 1)
    async with opened(session).run_test(size=NARROW) as pilot:
        await liked_first(pilot)
        assert "the library has nothing but what is liked" in picture(pilot)
        main(pilot).search.state.draft.where = "genre = jazz"
        await pilot.press("enter")
        await until(pilot, lambda: "the filter leaves nothing but what is liked" in picture(pilot))
        await pilot.press("n", *"drums", "enter")
        await until(pilot, lambda: len(labels(pilot)) == 3)
