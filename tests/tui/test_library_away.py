"""A user whose folders move, empty and hold more than music, in the app."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from driving import WIDE, asked, main, opened, picture, said, until
from stand_in import StandIn, track

from gdr_tui.app.library.screen import LibraryScreen
from gdr_tui.app.main.session import Session

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture
def songs(music: Path) -> Path:
    """Three demo tracks, one in a folder that could be a disk, and files that are not music."""
    (music / "usb").mkdir()
    first, second, third = sorted(DEMO.rglob("*.ogg"))[:3]
    shutil.copy(first, music / "usb")
    shutil.copy(second, music)
    shutil.copy(third, music)
    (music / "tune.mod").write_bytes(b"x")
    (music / "#recycle").mkdir()
    return music


def indexed(root: Path, **options: object) -> Session:
    """A session that has indexed a folder and ended."""
    session = Session([root], **options)
    session.loader.load()
    session.indexer.index(lambda _: None)
    session.close()
    return session


async def test_what_is_left_out_is_counted_and_named(songs: Path) -> None:
    indexed(songs)
    async with opened(Session([songs])).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexed, 60)
        await pilot.press("escape", "L")
        await until(pilot, lambda: "left out 2" in picture(pilot))
        await until(pilot, lambda: "1 file of another kind" in picture(pilot))
        await pilot.press("l")
        await until(pilot, lambda: "left out: a system folder" in picture(pilot))
        assert "#recycle" in picture(pilot)


async def test_an_emptied_folder_is_not_up_to_date_and_names_the_way_out(songs: Path) -> None:
    indexed(songs)
    shutil.move(songs, songs.with_name("unplugged"))
    songs.mkdir()
    async with opened(Session([songs])).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexed, 60)
        await pilot.press("escape", "L")
        await until(pilot, lambda: "not there" in picture(pilot))
        assert "up to date" not in picture(pilot)
        assert "not indexed: " in picture(pilot)
        assert "gdr forget" in main(pilot).library.state.progress()


async def test_a_folder_opened_at_its_new_place_is_recognised(songs: Path) -> None:
    indexed(songs)
    moved = songs.with_name("elsewhere")
    songs.rename(moved)
    async with opened(Session([moved])).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexed, 60)
        assert main(pilot).library.state.indexed.encoded == 0
        assert any(f"the library {songs} has moved to {moved}" in words for words in said(pilot))


async def test_a_folder_that_is_suddenly_empty_is_named_and_its_tracks_kept(songs: Path) -> None:
    indexed(songs)
    shutil.move(songs / "usb", songs.with_name("unplugged"))
    (songs / "usb").mkdir()
    async with opened(Session([songs])).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexed, 60)
        assert "1 not there now" in main(pilot).library.state.progress()
        await pilot.press("escape", "L")
        assert isinstance(pilot.app.screen, LibraryScreen)
        await until(pilot, lambda: "1 not there" in picture(pilot))


def test_settings_exclude_in_the_app_too(songs: Path) -> None:
    session = Session([songs], exclude=["usb"])
    session.loader.load()
    session.indexer.index(lambda _: None)
    assert session.holdings.catalogue().count == 2
    session.close()


async def test_results_on_a_disk_that_is_away_are_marked_and_said(songs: Path) -> None:
    session = StandIn()
    session.away = {track(n).path for n in range(30)}
    async with opened(session).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await until(pilot, lambda: "∅" in picture(pilot))
        assert any("not there now" in words for words in said(pilot))
        session.away = set()
        await pilot.press("r")
        await until(pilot, lambda: "∅" not in picture(pilot))
