"""Copies in the list of results: one line a recording, unfolded and folded; limits and sections."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from driving import WIDE, asked, main, names, opened, picture, said, until
from stand_in import StandIn

from gdr_model.types import Hit, Section, Track
from gdr_tui.app.main.session import Session
from gdr_tui.app.search.results import ResultsList

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture
def library(music: Path) -> Path:
    """Five pieces, one of them three times."""
    songs = sorted(DEMO.glob("*/*.ogg"))[::8]
    for song in songs:
        shutil.copy(song, music)
    (music / "again").mkdir()
    for name in ("one.ogg", "two.ogg"):
        shutil.copy(songs[0], music / "again" / name)
    return music


async def test_copies_are_unfolded_and_folded_below_their_recording(library: Path) -> None:
    async with opened(Session([library])).run_test(size=WIDE) as pilot:
        screen, results = main(pilot), main(pilot).search.results
        await until(pilot, lambda: screen.library.state.indexed, 60)
        await asked(pilot, "slow piano")
        assert len(names(pilot)) == results.length == 5
        (best,) = (hit for hit in screen.search.state.trail.current.results.hits if hit.copies)
        assert "+2 copies" in picture(pilot)
        results.go_to(best.track.path)
        row = results.cursor
        await pilot.press("z")
        assert (results.length, results.cursor) == (7, row)
        assert "└" in picture(pilot)
        assert "again/two.ogg" in picture(pilot)
        await pilot.press("j")
        assert results.track in best.copies
        assert results.rank == row + 1
        assert results.moment(results.cursor) == (results.track.path, best.start_s)
        await pilot.press("m")
        assert screen.crates.state.marked == {best.copies[0].path}
        results.go_to(best.copies[0].path)
        await pilot.press("z")
        assert (results.length, results.track) == (5, best.track)
        results.cursor = (row + 1) % 5
        await pilot.press("z")
        assert any("has no copies" in sentence for sentence in said(pilot))


async def test_limits_typed_into_the_prompt_become_chips_of_the_query(library: Path) -> None:
    async with opened(Session([library])).run_test(size=WIDE) as pilot:
        screen = main(pilot)
        await until(pilot, lambda: screen.library.state.indexed, 60)
        await asked(pilot, "slow piano per-artist:1")
        assert len(names(pilot)) == 1, "all demo pieces are by one artist"
        assert "1 per artist" in picture(pilot)
        await pilot.press("x")
        await until(pilot, lambda: len(names(pilot)) == 5)
        await pilot.press("u")
        await until(pilot, lambda: len(names(pilot)) == 1)


async def test_a_result_in_a_section_is_called_by_it() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        listed = main(pilot).listed
        assert listed
        sections = (Section(0.0, "quiet hours"), Section(180.0, "[b]iron weather[/]", "Someone"))
        album = Track(Path("/music/album.flac"), 400.0, "x", "Whole album", sections=sections)
        none = np.zeros(400, np.float32)
        found = Hit(album, 183.0, 240.0, 0.7, 8, none), Hit(album, 0.0, 60.0, 0.6, 8, none)
        results = main(pilot).search.results
        results.show_results(replace(listed, hits=found), None, None)
        await pilot.pause()
        shown = picture(pilot)
        assert "[b]iron weather[/] · album.flac" in shown
        assert "3:03" in shown
        assert "quiet hours · album.flac" in shown
        assert isinstance(results, ResultsList)
        results.show_results(replace(listed, hits=found[::-1]), replace(listed, hits=found), None)
        await pilot.pause()
        assert "▼1" in picture(pilot), "sections are distinguished"
        assert "▲1" in picture(pilot)
