"""The main stories on the model that ships and the demo library, all of it real."""

import os
import shutil
from pathlib import Path

import pytest
from driving import NARROW, WIDE, asked, labels, main, names, opened, picture, said, until
from textual.widgets import Input

from gdr_tui.app.main.session import Session
from gdr_tui.app.playback.waveform import Waveform

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "demo"


@pytest.fixture
def library(music: Path) -> Path:
    """A dozen demo tracks, a broken one, and one whose name is not valid UTF-8."""
    songs = sorted(DEMO.glob("*/*.ogg"))[::3][:12]
    for song in songs:
        shutil.copy(song, music)
    (music / "broken.ogg").write_bytes(b"OggS but nothing more")
    shutil.copy(songs[0], os.fsencode(music) + b"/caf\xe9 [red].ogg")
    return music


async def test_from_an_unknown_folder_to_a_playlist(library: Path, tmp_path: Path) -> None:
    async with opened(Session([library])).run_test(size=WIDE) as pilot:
        screen = main(pilot)
        state = screen.library.state
        await pilot.press(*"sad piano", "enter")
        await until(pilot, lambda: screen.search.state.trail.current, 60)
        await until(pilot, lambda: state.indexed, 60)
        assert state.indexed
        assert (state.indexed.encoded, state.indexed.failed) == (12, 1)
        assert "1 failed · 13 tracks · indexed" in picture(pilot)
        await until(pilot, lambda: len(names(pilot)) == 12, 30)
        assert labels(pilot) == ["“sad piano”"], "answers that grew are no queries of their own"

        await pilot.press("n", *"strings:0.5", "enter")
        await until(pilot, lambda: len(labels(pilot)) == 2, 30)
        await pilot.press("j", "i")
        pilot.app.screen.query_one("#edit-prompt", Input).value = "fast electronic dance"
        await pilot.press("enter")
        await until(pilot, lambda: len(labels(pilot)) == 3, 30)
        node = screen.search.state.trail.current
        assert node
        assert node.results.query.round_trip is not None
        assert node.results.query.round_trip < 0.1
        assert "round trip" in picture(pilot)

        hit = screen.search.results.hit
        assert hit
        await pilot.press("space")
        await until(pilot, lambda: screen.playback.state.position_s > hit.start_s + 0.2)
        await until(pilot, lambda: len(screen.query_one(Waveform)._peaks))
        await pilot.press("u")
        assert screen.search.state.trail.current is node.parent
        await pilot.press("e")
        target = tmp_path / "list.m3u8"
        pilot.app.screen.query_one(Input).value = str(target)
        await pilot.press("enter")
        lines = target.read_bytes().splitlines()
        paths = [Path(os.fsdecode(line)) for line in lines if not line.startswith(b"#")]
        assert len(paths) == 12
        assert all(path.exists() for path in paths)


async def test_a_known_folder_opens_with_its_tracks_and_encodes_nothing_again(
    library: Path,
) -> None:
    session = Session([library])
    session.loader.load()
    assert session.indexer.index(lambda indexing: None).encoded == 12
    async with opened(Session([library])).run_test(size=NARROW) as pilot:
        state = main(pilot).library.state
        await until(pilot, lambda: len(names(pilot)) == 13)
        await until(pilot, lambda: state.indexed, 60)
        assert state.indexed
        assert state.indexed.encoded == 0
        await asked(pilot, "piano")
        await pilot.press("f", *"path ~ [red]", "enter")
        await until(pilot, lambda: len(names(pilot)) == 1, 30)
        await pilot.press("y")
        assert any("not valid UTF-8" in sentence for sentence in said(pilot))
        await pilot.press("f")
        pilot.app.screen.query_one(Input).value = "genre ! jazz"
        await pilot.press("enter")
        assert "unexpected character" in picture(pilot)
    session.close()


async def test_a_model_that_is_not_there_is_one_sentence(library: Path) -> None:
    async with opened(Session([library], "no-such-model")).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: said(pilot), 60)
        assert said(pilot)[0].startswith("model: ")
        assert "no-such-model" in said(pilot)[0]


async def test_sees_a_query_on_the_map_of_the_library(library: Path) -> None:
    async with opened(Session([library])).run_test(size=WIDE) as pilot:
        screen = main(pilot)
        await pilot.press(*"sad piano", "enter")
        await until(pilot, lambda: screen.library.state.indexed, 60)
        await until(pilot, lambda: len(names(pilot)) == 12, 30)
        await pilot.press("v")
        await until(pilot, lambda: "map · 13 tracks" in picture(pilot), 30)
        await until(pilot, lambda: "✦" in picture(pilot).split("1 result")[0], 30)
        await pilot.press("1")
        assert names(pilot)[0] in picture(pilot)
