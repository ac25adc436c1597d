"""A user goes back, branches, names, compares and comes back the next day."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, said, until
from stand_in import StandIn
from textual.pilot import Pilot
from textual.widgets import Input

from gdr_model.notebook.database import Notebook
from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint, SavedTrail
from gdr_model.notebook.trails import Trails
from gdr_tui.app.app import GdrApp
from gdr_tui.app.trail.compare_dialog import CompareDialog
from gdr_tui.app.trail.list import TrailList
from gdr_tui.app.values import Prints

PRINTS = Prints(ModelPrint("builtin", "0" * 16), (LibraryPrint("/music", 30, "1" * 16),))


class Printed(StandIn):
    """Knows who answers."""

    def prints(self) -> Prints:
        return PRINTS


async def leave(pilot: Pilot[Any]) -> None:
    """Quit as `run` does: what is queued is written."""
    assert isinstance(pilot.app, GdrApp)
    assert pilot.app.notebook.close(5)


async def three(pilot: Pilot[Any]) -> None:
    """A query, and two that came of it."""
    await asked(pilot, "warm")
    await pilot.press("r")
    await until(pilot, lambda: len(labels(pilot)) == 2)
    await pilot.press("u", "n", *"drums", "enter")
    await until(pilot, lambda: len(labels(pilot)) == 3)
    assert labels(pilot) == ["“warm”", "├─spread 0.5", "− drums:1"]


async def test_comes_back_the_next_day_and_goes_on_where_it_stopped() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await three(pilot)
        await pilot.press("t", "k", "enter")
        there = names(pilot)
        await leave(pilot)
    session = StandIn()
    session.may_load.clear()
    async with opened(session).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: len(labels(pilot)) == 3)
        assert labels(pilot) == ["“warm”", "├─spread 0.5", "− drums:1"]
        assert main(pilot).search.state.trail.current is None, "none is current at first"
        await pilot.press("escape", "ctrl+r")
        assert names(pilot) == there, "its results are there before the model is"
        assert pilot.app.screen.query_one("#prompt", Input).value == "warm"
        assert not session.asked
        session.may_load.set()
        await until(pilot, lambda: session.asked)
        assert session.asked[0][0].spread == 0.5
        node = main(pilot).search.state.trail.current
        assert node
        await until(pilot, lambda: not node.stale)
        assert len(labels(pilot)) == 3, "drawing it again is no query of its own"
        await pilot.press("u")
        await until(pilot, lambda: len(session.asked) == 2)


async def test_a_new_prompt_of_a_new_day_is_a_root_of_its_own() -> None:
    for prompt in ("warm", "cold"):
        async with opened(StandIn()).run_test(size=NARROW) as pilot:
            await asked(pilot, prompt)
            await leave(pilot)
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: labels(pilot) == ["“warm”", "“cold”"])


async def test_asks_before_the_trail_is_read_and_loses_nothing() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await leave(pilot)
    app = opened(StandIn())
    held: list[Any] = []
    app.main.trail._writer.read = held.append  # type: ignore[method-assign]
    async with app.run_test(size=NARROW) as pilot:
        await asked(pilot, "cold")
        type(app.main.trail._writer).read(app.main.trail._writer, held[0])
        await until(pilot, lambda: labels(pilot) == ["“warm”", "“cold”"])
        await pilot.press("r")
        await until(pilot, lambda: len(labels(pilot)) == 3)
        await leave(pilot)
    with Notebook.open() as notebook:
        kept = Trails(notebook).read([Path("/music")]).queries
    assert [query.steering.prompt for query in kept] == ["warm", "cold", "cold"]
    assert kept[2].parent == kept[1].id


async def test_names_a_query_and_folds_what_came_of_it() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await three(pilot)
        await pilot.press("t", "g", "R")
        pilot.app.screen.query_one("#answer", Input).value = "the [good] one"
        await pilot.press("enter", "z")
        assert "the [good] one" in picture(pilot)
        assert "⋯ 2 more" in picture(pilot)
        assert len(labels(pilot)) == 1
        await pilot.press("z")
        assert len(labels(pilot)) == 3
        await leave(pilot)
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: "the [good] one" in picture(pilot))
        await pilot.press("escape", "t", "g", "R")
        pilot.app.screen.query_one("#answer", Input).value = ""
        await pilot.press("enter")
        await until(pilot, lambda: "“warm”" in picture(pilot))


async def test_puts_a_branch_away_and_brings_it_back() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await three(pilot)
        await pilot.press("t", "d")
        assert any("go to another branch first" in sentence for sentence in said(pilot))
        await pilot.press("k", "d")
        assert labels(pilot) == ["“warm”", "− drums:1"]
        await leave(pilot)
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: labels(pilot) == ["“warm”", "− drums:1"])
        await pilot.press("escape", "t", "D")
        assert len(labels(pilot)) == 3
        trail = pilot.app.query_one(TrailList)
        assert trail.node
        assert trail.node.label == "spread 0.5"
        await pilot.press("D")
        assert any("nothing is hidden" in sentence for sentence in said(pilot))


async def test_compares_any_two_and_flips_between_them_by_one_key() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await pilot.press("escape", "backslash")
        assert any("nothing to flip to" in sentence for sentence in said(pilot))
        await three(pilot)
        here = names(pilot)
        await pilot.press("t", "k", "c")
        assert isinstance(pilot.app.screen, CompareDialog)
        assert "before  spread 0.5" in picture(pilot)
        assert "now     − drums:1" in picture(pilot)
        await pilot.press("escape", "escape", "backslash")
        there = names(pilot)
        assert there != here
        assert "\\ − drums:1" in picture(pilot)
        await pilot.press("backslash")
        assert names(pilot) == here
        await pilot.press("backslash")
        assert names(pilot) == there
        assert len(labels(pilot)) == 3


async def test_flips_to_the_query_before_where_none_was_chosen() -> None:
    session = StandIn()
    async with opened(session).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        first = names(pilot)
        await pilot.press("r")
        await until(pilot, lambda: len(labels(pilot)) == 2)
        second = names(pilot)
        await pilot.press("backslash")
        assert names(pilot) == first
        await pilot.press("backslash")
        assert names(pilot) == second
        assert len(session.asked) == 2, "nothing is drawn to flip"


async def test_writes_a_session_that_holds_every_query(tmp_path: Path) -> None:
    target = tmp_path / "trail.json"
    async with opened(Printed()).run_test(size=WIDE) as pilot:
        await three(pilot)
        await pilot.press("t", "e")
        await until(pilot, lambda: pilot.app.screen is not main(pilot))
        pilot.app.screen.query_one(Input).value = str(tmp_path / "trail.txt")
        await pilot.press("enter")
        assert "end the file name in .json" in picture(pilot)
        pilot.app.screen.query_one(Input).value = str(target)
        await pilot.press("enter")
        await until(pilot, lambda: any("wrote 3 queries" in sentence for sentence in said(pilot)))
    session = SavedTrail.read(target)
    assert [(q.id, q.parent) for q in session.queries] == [(1, None), (2, 1), (3, 1)]
    assert session.queries[2].steering.negatives[0].text == "drums"
    assert (session.stands_on, session.k, session.model) == (3, 50, PRINTS.model)
    assert json.loads(target.read_text())["libraries"][0]["root"] == "/music"


async def test_a_notebook_that_cannot_be_used_is_said_and_the_app_goes_on(gdr_home: Path) -> None:
    gdr_home.mkdir()
    (gdr_home / "notebook.db").write_bytes(b"This is no database at all." * 100)
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: any("move that file away" in s for s in said(pilot)))
        await asked(pilot, "warm")
        assert labels(pilot) == ["“warm”"]


@pytest.mark.parametrize("size", [NARROW, WIDE, (200, 60)])
async def test_the_trail_takes_half_of_the_screen_while_it_has_the_focus(
    size: tuple[int, int],
) -> None:
    async with opened(StandIn()).run_test(size=size) as pilot:
        await three(pilot)
        before = pilot.app.query_one(TrailList).size.height
        await pilot.press("t")
        await pilot.pause()
        assert pilot.app.query_one(TrailList).size.height > before
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.query_one(TrailList).size.height == before
