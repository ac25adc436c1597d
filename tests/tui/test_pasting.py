"""Pasted text and dropped files: nothing is lost, whatever has the focus."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import terminal
from driving import NARROW, WIDE, asked, main, opened, picture, said, until
from stand_in import StandIn
from terminal import PROGRAM
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from gdr_tui.app.ui.pasted import dropped, one_line

FEW = Path(__file__).parents[2] / "demo" / "toy box"
LINES = "warm piano\r\n  slow and\tsad\n\n-drums\n"
JOINED = "warm piano slow and sad -drums"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (LINES, JOINED),
        ("a\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "a b c d e f g h"),
        ("a\x1b[31mb\x07\x00c\x9bd\x7f", "a [31mb  c d "),
        (" in the middle ", " in the middle "),
        ("\n\nZoë 音楽 👩‍🚀\n", "Zoë 音楽 👩‍🚀"),
        ("\n", ""),
        ("", ""),
    ],
)
def test_lines_are_joined_by_blanks(text: str, line: str) -> None:
    assert one_line(text) == line


def test_dropped_files_are_known_as_terminals_write_them(tmp_path: Path) -> None:
    song, other = tmp_path / "It's a song (live) & more.flac", tmp_path / "Zoë #1.mp3"
    for path in (song, other):
        path.touch()
    escaped = "".join(
        char if char.isalnum() or char in "/.-_" else f"\\{char}" for char in str(song)
    )
    for text in (str(song), f"{song}\n", shlex.quote(str(song)), escaped, song.as_uri()):
        assert dropped(text) == [str(song)], text
    both = f"{shlex.quote(str(song))} {shlex.quote(str(other))} "
    assert (
        dropped(both) == dropped(f"{song.as_uri()}\r\n{other.as_uri()}") == [str(song), str(other)]
    )


@pytest.mark.parametrize(
    "text", ["/no/such/file.flac", "demo", "it's", "/", "warm /", "", "/a\0b", "file:///no/such"]
)
def test_other_text_is_no_dropped_file(text: str) -> None:
    assert dropped(text) == (["/"] if text == "/" else [])


async def paste(pilot: Pilot[None], text: str) -> str:
    """Paste into what has the focus; the text in the box then."""
    pilot.app.post_message(events.Paste(text))
    await pilot.pause()
    assert isinstance(pilot.app.focused, Input)
    return pilot.app.focused.value


async def test_every_line_of_input_takes_all_lines() -> None:
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        assert await paste(pilot, LINES) == JOINED, "over the list: a new prompt"
        await pilot.press("end", "!")
        assert pilot.app.query_one("#prompt", Input).value == JOINED + "!"
        for keys in ("n", "f", "o", "e", ("M", "n")):
            await pilot.press("escape", "escape", *keys, "ctrl+a", "ctrl+k")
            assert await paste(pilot, LINES) == JOINED, keys
            await pilot.press("ctrl+a", "ctrl+k", "escape")


async def test_a_path_that_is_no_file_stays_text_and_can_be_edited() -> None:
    async with opened(StandIn()).run_test(size=NARROW) as pilot:
        await until(pilot, lambda: main(pilot).search.state.has_model)
        await pilot.press("slash", "slash")
        box = pilot.app.query_one("#prompt", Input)
        assert box.value == "", "the key that leads there is no letter"
        assert await paste(pilot, "/music/slow piano.flac") == "/music/slow piano.flac"
        await pilot.press("x", "backspace", "backspace", "slash")
        assert box.value == "/music/slow piano.fla/"


async def test_a_dropped_file_becomes_a_like(tmp_path: Path) -> None:
    folder = tmp_path / "slow piano"
    folder.mkdir()
    song, other = folder / "3.flac", folder / "4.mp3"
    song.touch()
    other.touch()
    session = StandIn()
    async with opened(session).run_test(size=WIDE) as pilot:
        await asked(pilot, "warm")
        await pilot.press("slash")
        assert await paste(pilot, shlex.quote(str(song)) + " ") == "warm"
        await until(pilot, lambda: session.asked[-1][0].likes == (str(song),))
        assert "♥ 3" in picture(pilot)
        assert "searching for more like 3" in said(pilot)
        assert await paste(pilot, f"{song.as_uri()}\n{other.as_uri()}\n") == "warm"
        await until(pilot, lambda: session.asked[-1][0].likes == (str(song), str(other)))


async def test_a_dropped_folder_is_opened_by_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "My Music"
    folder.mkdir()
    async with opened(StandIn()).run_test(size=WIDE) as pilot:
        await pilot.press("escape", "o")
        assert await paste(pilot, shlex.quote(str(folder))) == str(folder)


def test_a_real_terminal_pastes_whole(tmp_path: Path) -> None:
    with terminal.run([*PROGRAM, "tui", "-L", str(FEW)]) as app:
        app.until("tracks · indexed", 120)
        app.press(f"\x1b[200~{LINES}\x1b[201~")
        assert app.rows()[0].rstrip() == f" / {JOINED}"
        app.escape()
        app.press("q")
        assert app.wait(10)[1] == 0
