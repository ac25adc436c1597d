"""Progress: on a terminal's stderr only, safe to show, and gone at the end."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from gdr_tui.cli.progress import Shown, bars, rate


class Terminal(io.StringIO):
    """A stderr that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Called in a test, makes stderr a terminal of 120 columns."""

    def replace() -> Terminal:
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)  # in the test: pytest sets it after fixtures
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        return stream

    return replace


@pytest.mark.parametrize("shown", Shown)
def test_a_program_sees_no_progress(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    with bars(shown) as progress:
        progress.show("tracks", 3, 10, "fast")
    assert capsys.readouterr() == ("", "")


def test_a_count_shows_how_many_of_how_many_and_a_note(on_terminal: Callable[[], Terminal]) -> None:
    terminal = on_terminal()
    with bars() as progress:
        progress.show("music", 0, None)
        progress.show("music", 3, 10, "40 × real time")
    text = terminal.getvalue()
    assert "music" in text
    assert "3/10" in text
    assert "40 × real time" in text


def test_tasks_are_added_as_they_are_reported(on_terminal: Callable[[], Terminal]) -> None:
    terminal = on_terminal()
    with bars(Shown.BYTES) as progress:
        progress.show("config.json", 700, 700)
        progress.show("model.safetensors", 1_000_000, 4_000_000)
    text = terminal.getvalue()
    assert "config.json" in text
    assert "1.0/4.0 MB" in text


def test_a_name_cannot_act_on_the_terminal_nor_on_the_layout(
    on_terminal: Callable[[], Terminal],
) -> None:
    terminal = on_terminal()
    with bars() as progress:
        progress.show("a\x1b[2Jb", 1, 2)
    assert "\x1b[2J" not in terminal.getvalue()
    assert "a\\x1b[2Jb" in terminal.getvalue()


def test_a_spinner_names_what_is_being_done_now(on_terminal: Callable[[], Terminal]) -> None:
    terminal = on_terminal()
    with bars(Shown.NAME) as progress:
        progress.say("fold 1")
        progress.say("fold 2")
    assert "fold 2" in terminal.getvalue()
    assert len([line for line in terminal.getvalue().splitlines() if "fold" in line]) <= 2


def test_the_rate_of_reading_sound() -> None:
    assert rate(6000, 3) == "2,000 × real time"
    assert rate(10, 0) == "0 × real time", "nothing was measured yet"


@pytest.mark.parametrize("shown", Shown)
def test_a_name_is_no_markup(shown: Shown, on_terminal: Callable[[], Terminal]) -> None:
    terminal = on_terminal()
    with bars(shown) as progress:
        if shown is Shown.NAME:
            progress.say("[red]hot[/red] [link=x]")
        else:
            progress.show("[red]hot[/red] [link=x]", 1, 2, "[dim]note")
    assert "[red]hot[/red] [link=x]" in terminal.getvalue()
    assert ("[dim]note" in terminal.getvalue()) == (shown is Shown.COUNT)
