"""A user gathers tracks across queries, puts them in order and takes them out of the app."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from driving import NARROW, WIDE, asked, main, names, opened, picture, said, until
from stand_in import StandIn
from textual.pilot import Pilot
from textual.widgets import Input

from gdr_model.errors import UsageError
from gdr_model.notebook.crates import Crates, CrateTrack
from gdr_model.notebook.database import Notebook
from gdr_tui.app.crates.screen import CratesScreen
from gdr_tui.app.crates.state import CrateShelf, KeptCrates
from gdr_tui.app.ui.export_dialog import ExportDialog
from gdr_tui.app.ui.name_dialog import NameDialog


def kept(name: str) -> list[str]:
    with Notebook.open() as notebook:
        return [track.name for track in Crates(notebook).tracks(name)]


async def named(pilot: Pilot[Any], name: str) -> None:
    pilot.app.screen.query_one(Input).value = name
    await pilot.press("enter")
    await pilot.pause()


def crates(pilot: Pilot[Any]) -> CratesScreen:
    assert isinstance(pilot.app.screen, CratesScreen)
    return pilot.app.screen


def inside(pilot: Pilot[Any]) -> list[str]:
    """The tracks of the crate under the cursor."""
    return [track.name for track in crates(pilot).tracks._tracks]


async def test_marks_across_queries_into_one_crate_that_is_there_the_next_day() -> None:
    app = opened(StandIn())
    async with app.run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        warm = names(pilot)[0]
        await pilot.press("m")
        assert any("added to the crate “marked”" in sentence for sentence in said(pilot))
        assert "┃ marked 1" in picture(pilot)
        await asked(pilot, "cold and dark")
        cold = next(name for name in names(pilot) if name != warm)
        main(pilot).search.results.cursor = names(pilot).index(cold)
        await pilot.press("m")
        assert "┃ marked 2" in picture(pilot)
    assert app.notebook.close(5)
    assert kept("marked") == [warm, cold]
    with Notebook.open() as notebook:
        first, second = Crates(notebook).tracks("marked")
    assert (first.prompt, second.prompt) == ("warm", "cold and dark")
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: "┃ marked 2" in picture(pilot))
        await pilot.press("escape", "M")
        assert inside(pilot) == [warm, cold]


async def test_unmarking_takes_out_and_undo_brings_back_to_the_same_place() -> None:
    app = opened(StandIn())
    async with app.run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("m", "m", "m")
        first, second, third = names(pilot)[:3]
        await pilot.press("M", "l", "j")
        await pilot.press("d")
        assert inside(pilot) == [first, third]
        await pilot.press("u")
        assert inside(pilot) == [first, second, third]
        await pilot.press("escape", "k", "k", "m")
        assert "┃ marked 2" in picture(pilot)
        await pilot.press("M", "u")
        assert inside(pilot) == [first, second, third]
    assert app.notebook.close(5)
    assert kept("marked") == [first, second, third]


async def test_puts_tracks_in_order_and_takes_that_back() -> None:
    app = opened(StandIn())
    async with app.run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("m", "m", "m", "M", "right")
        first, second, third = inside(pilot)
        await pilot.press("J", "J", "J")
        assert inside(pilot) == [second, third, first]
        assert crates(pilot).tracks.cursor == 2
        await pilot.press("K")
        assert inside(pilot) == [second, first, third]
        await pilot.press("u", "u")
        assert inside(pilot) == [second, first, third]
        await pilot.press("u")
        assert inside(pilot) == [first, second, third]
        await pilot.press("J")
    assert app.notebook.close(5)
    assert len(kept("marked")) == 3


async def test_makes_names_chooses_and_loses_crates_and_gets_them_back() -> None:
    app = opened(StandIn())
    async with app.run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("m", "M", "n")
        await named(pilot, "marked")
        assert "there is already a crate called marked" in picture(pilot)
        await named(pilot, "[red]Sunday")
        assert crates(pilot).crates.crate == "[red]Sunday"
        await pilot.press("R")
        await named(pilot, "Sunday")
        await pilot.press("escape", "m")
        assert "┃ Sunday 1" in picture(pilot)
        await pilot.press("M", "d")
        assert "marked" in picture(pilot)
        assert main(pilot).crates.state.names == ["marked"]
        assert main(pilot).crates.state.chosen == "marked"
        await pilot.press("u")
        assert main(pilot).crates.state.names == ["marked", "Sunday"]
        assert main(pilot).crates.state.chosen == "Sunday"
        await pilot.press("g", "enter", "escape")
        assert "┃ marked 1" in picture(pilot)
    assert app.notebook.close(5)
    assert len(kept("Sunday")) == 1
    with Notebook.open() as notebook:
        assert Crates(notebook).chosen() == "marked"


async def test_takes_the_mouse_and_plays_from_the_passage() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("m", "m", "M")
        track = main(pilot).crates.state.tracks("marked")[1]
        await pilot.click("#crate-tracks", offset=(10, 2), times=2)
        await until(pilot, lambda: main(pilot).playback.state.playing)
        assert main(pilot).playback.state.path == track.path
        assert main(pilot).playback.state.position_s == pytest.approx(track.start_s, abs=3)
        await pilot.press("space")
        assert not main(pilot).playback.state.playing


async def clicked(pilot: Pilot[Any], hint: str) -> None:
    column = picture(pilot).splitlines()[-1].index(hint)
    await pilot.click("#crates-hint", offset=(column, 0))
    await pilot.pause()


async def test_every_hint_can_be_clicked() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("m", "m", "M")
        first, second = inside(pilot)
        await clicked(pilot, "→")
        assert crates(pilot).in_tracks
        await clicked(pilot, "J")
        assert inside(pilot) == [second, first]
        await clicked(pilot, "d remove")
        assert inside(pilot) == [second]
        await clicked(pilot, "u undo")
        await pilot.press("j")
        await clicked(pilot, "K")
        assert inside(pilot) == [first, second]
        await clicked(pilot, "←")
        await clicked(pilot, "n new")
        assert isinstance(pilot.app.screen, NameDialog)


async def test_what_the_command_line_put_in_is_seen_when_the_crates_are_opened() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        with Notebook.open() as notebook:
            Crates(notebook).make("from outside")
            Crates(notebook).add("from outside", [CrateTrack(Path("/m/x.flac"), "Ex\x1b[2J")])
        await pilot.press("m", "M")
        await until(pilot, lambda: "from outside" in picture(pilot))
        await until(pilot, lambda: "marked" in main(pilot).crates.state.names)
        await pilot.press("g")
        assert inside(pilot) == ["Ex\x1b[2J"]
        assert "\x1b" not in picture(pilot)


async def test_writes_the_crate_from_both_places(tmp_path: Path) -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await asked(pilot, "warm")
        await pilot.press("m", "m", "e")
        assert isinstance(pilot.app.screen, ExportDialog)
        for choice in ("marked: 2 results", "all 20 results", "crate marked: 2 tracks"):
            assert choice in picture(pilot)
        await pilot.click("#source-2")
        assert pilot.app.screen.query_one(Input).value.endswith("gdr-marked.m3u8")
        await named(pilot, str(tmp_path / "night.json"))
        await pilot.press("M", "e")
        await pilot.click("#relative")
        await pilot.click("#bom")
        assert "relative paths   whole tracks   CSV + BOM" in picture(pilot)
        await named(pilot, str(tmp_path / "night.csv"))
        assert any("wrote 2 tracks" in sentence for sentence in said(pilot))
    written = json.loads((tmp_path / "night.json").read_text())
    assert written["crate"] == "marked"
    table = (tmp_path / "night.csv").read_bytes()
    assert table.startswith(b"\xef\xbb\xbf")
    assert len(table.splitlines()) == 3


async def test_crates_without_a_single_mark() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: names(pilot))
        await pilot.press("escape", "M")
        await pilot.press("d", "R", "e", "J", "space", "enter", "l", "d", "J", "space", "u")
        assert isinstance(pilot.app.screen, CratesScreen)
        assert "no crates yet" in picture(pilot)
        assert any("nothing to undo" in sentence for sentence in said(pilot))


def test_marks_made_before_the_notebook_was_read_join_what_was_kept() -> None:
    shelf, written = CrateShelf(), []
    early, late = CrateTrack(Path("/m/early")), CrateTrack(Path("/m/late"))
    shelf.toggle(early)
    shelf.restore(KeptCrates("night", {"night": [late]}), written.append)
    assert [t.path for t in shelf.tracks("night")] == [late.path, early.path]
    assert shelf.names == ["night"]
    assert len(written) == 1


def test_undo_walks_all_the_way_back() -> None:
    shelf = CrateShelf()
    for number in range(4):
        shelf.toggle(CrateTrack(Path(f"/m/{number}")))
    shelf.move("marked", Path("/m/0"), 9)
    shelf.rename("marked", "night")
    shelf.delete("night")
    assert shelf.chosen == ""
    assert shelf.undo() == "restored the crate night"
    assert shelf.chosen == "night"
    assert [shelf.undo() for _ in range(8)][-1] == ""
    assert shelf.names == []
    with pytest.raises(UsageError):
        shelf.make("  ")
