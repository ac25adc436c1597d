"""A user looks after the library: folders, files that failed, indexing that rests and goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driving import NARROW, WIDE, asked, main, names, opened, picture, said, until
from stand_in import StandIn
from textual.pilot import Pilot

from gdr_model import paths
from gdr_model.store.records import Failure, Sound, Stamp
from gdr_model.types import Cancel, never
from gdr_tui.app.library.folders import folders
from gdr_tui.app.library.jobs import Indexes
from gdr_tui.app.library.pause import Pause
from gdr_tui.app.library.screen import LibraryScreen
from gdr_tui.app.main.session import Session
from gdr_tui.app.values import Indexed, Indexing

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture
def songs(music: Path) -> Path:
    """Four demo tracks in two folders, one that is broken and one that only looks like sound."""
    for number, song in enumerate(sorted(DEMO.glob("*/*.ogg"))[::10][:4]):
        folder = music / ("dub" if number % 2 else "dub/B sides")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(song, folder)
    (music / "dub" / "[red]half.ogg").write_bytes(b"OggS but nothing more")
    (music / "notes.mp3").write_text("no sound at all")
    return music


class PausedAtOnce:
    """An indexer whose user pauses before anything is indexed."""

    def __init__(self, indexer: Indexes) -> None:
        self._indexer = indexer
        self.pause = indexer.pause

    def index(self, on_progress: Callable[[Indexing], None], cancelled: Cancel = never) -> Indexed:
        def report(indexing: Indexing) -> None:
            if not indexing.done:
                self.pause.turn(True)
            on_progress(indexing)

        return self._indexer.index(report, cancelled)

    def unlocked(self) -> bool:
        return self._indexer.unlocked()


def paused(songs: Path) -> Session:
    """A session on folders whose indexing is paused at once."""
    session = Session([songs])
    session.indexer = PausedAtOnce(session.indexer)
    return session


def library(pilot: Pilot[Any]) -> LibraryScreen:
    assert isinstance(pilot.app.screen, LibraryScreen)
    return pilot.app.screen


def rows(pilot: Pilot[Any]) -> list[tuple[str, int, int]]:
    """Folder, tracks and failures of every line."""
    found = library(pilot).folders._folders
    return [(folder.path.name, folder.tracks, len(folder.failures)) for folder in found]


async def test_folders_are_counted_and_failures_have_reasons(songs: Path) -> None:
    async with opened(Session([songs])).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexed, 60)
        await pilot.press("escape", "L")
        expected = [("music", 4, 2), ("dub", 4, 1), ("B sides", 2, 0)]
        await until(pilot, lambda: rows(pilot) == expected)
        assert "failed 2" in picture(pilot)
        assert "up to date" in picture(pilot)
        await pilot.press("j", "l")
        assert "failed 1" in picture(pilot)
        shown = library(pilot).query_one("#library-file").render()
        assert str(songs / "dub" / "[red]half.ogg") in str(shown), "names are no markup"
        await pilot.press("escape")
        assert pilot.app.screen is main(pilot)


async def test_a_file_that_was_mended_is_read_when_it_is_tried_again(songs: Path) -> None:
    sound = next((songs / "dub").glob("*.ogg")).read_bytes()
    unwell = songs / "unwell.ogg"
    unwell.write_bytes(bytes(1000) + sound[1000:])
    facts = unwell.stat()
    async with opened(Session([songs])).run_test(size=WIDE) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexed, 60)
        await pilot.press("escape", "L")
        await until(pilot, lambda: rows(pilot)[:1] == [("music", 4, 3)])
        # A disk that reads well again: neither size nor time tell that anything has changed.
        unwell.write_bytes(sound)
        os.utime(unwell, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        main(pilot).library.state.indexed = None
        await pilot.press("i")
        await until(pilot, lambda: main(pilot).library.state.indexed, 60)
        assert rows(pilot)[:1] == [("music", 4, 3)], "what failed is not read again and again"
        await pilot.press("l", "G", "r")
        await until(pilot, lambda: rows(pilot)[:1] == [("music", 5, 2)], 60)
        assert any("retrying 1 file" in sentence for sentence in said(pilot))
        await pilot.press("h", "r")
        assert any("retrying 2 files" in sentence for sentence in said(pilot))
        await until(pilot, lambda: rows(pilot)[:1] == [("music", 5, 2)], 60)


async def test_indexing_rests_goes_on_and_can_be_left_while_it_rests(songs: Path) -> None:
    app = opened(paused(songs))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexing, 60)
        await pilot.press("escape", "L", "p")
        assert "paused at 0 of 6; p resumes" in picture(pilot)
        await pilot.press("escape")
        assert "paused 0/6" in picture(pilot)
        await pilot.press("escape", "L", "p")
        await until(pilot, lambda: main(pilot).library.state.indexed, 60)
        await until(pilot, lambda: rows(pilot)[:1] == [("music", 4, 2)])
        await pilot.press("p")
        assert any("nothing is being indexed" in sentence for sentence in said(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: len(names(pilot)) == 4)
    shutil.copy(next((songs / "dub").glob("*.ogg")), songs / "new.ogg")
    app = opened(paused(songs))
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexing, 60)
    began = time.monotonic()
    assert app.background.stop(5), "a rest does not keep the app from ending"
    assert time.monotonic() - began < 5


async def test_a_folder_that_vanished_is_named_and_its_counts_are_kept(songs: Path) -> None:
    session = Session([songs])
    session.loader.load()
    session.indexer.index(lambda _: None)
    session.close()
    shutil.move(songs, songs.with_name("elsewhere"))
    async with opened(Session([songs])).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexed, 60)
        await pilot.press("escape", "L")
        await until(pilot, lambda: rows(pilot)[:1] == [("music", 4, 2)])
        assert "not there" in picture(pilot)
        assert "not indexed: " in picture(pilot)


async def test_a_library_that_another_program_holds_is_shown_and_written_to_later(
    songs: Path,
) -> None:
    session = Session([songs])
    session.loader.load()
    session.indexer.index(lambda _: None)
    session.close()
    shutil.copy(next((songs / "dub").glob("*.ogg")), songs / "new.ogg")
    other = sqlite3.connect(paths.store_of(songs) / "library.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    async with opened(Session([songs])).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).library.state.indexing, 60)
        assert len(names(pilot)) == 4
        before = main(pilot).search.results.track
        await pilot.press("escape", "j", "L", "escape")
        assert main(pilot).search.results.track != before
        other.execute("ROLLBACK")
        other.close()
        await until(pilot, lambda: len(names(pilot)) == 5, 60)
        assert not said(pilot)


def test_a_tree_of_names_that_are_not_text() -> None:
    root, stamp = Path("/m"), Stamp(1, 1)
    odd = os.fsdecode(b"caf\xe9")
    stamps = {
        b"a/b/one.ogg": (stamp, Sound("1", 10.0, -10.0)),
        b"caf\xe9/two.ogg": (stamp, Sound("2", 20.0, -10.0)),
        b"three.ogg": (stamp, Sound("3", 30.0, -10.0)),
    }
    failures = [Failure(root / odd / "bad.ogg", "why", 0.0)]
    found = folders(root, stamps, failures, "away")
    assert [(str(f.path), f.depth, f.tracks, f.duration_s, len(f.failures)) for f in found] == [
        ("/m", 0, 3, 60.0, 1),
        ("/m/a", 1, 1, 10.0, 0),
        ("/m/a/b", 2, 1, 10.0, 0),
        (f"/m/{odd}", 1, 1, 20.0, 1),
    ]
    assert [folder.problem for folder in found] == ["away", "", "", ""]


def test_a_pause_lets_through_what_is_cancelled_and_counts_the_rest() -> None:
    pause = Pause()
    pause.pass_by(lambda: False)
    assert pause.rested_s == 0
    pause.turn(True)
    pause.pass_by(lambda: True)
    assert 0 < pause.rested_s < 5
    pause.turn(False)
    assert not pause.on


async def test_the_palette_acts_on_the_search_while_the_library_is_open() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        spread = main(pilot).search.state.draft.steering.spread
        await pilot.press("L")
        await until(pilot, lambda: isinstance(pilot.app.screen, LibraryScreen))
        await pilot.press("ctrl+p", *"roll")
        await until(pilot, lambda: "Roll (r)" in picture(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: main(pilot).search.state.draft.steering.spread != spread)
