"""ctrl+z and fg in a real shell: the terminal is lent, and taken back whole."""

from __future__ import annotations

import os
import re
import shlex
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import terminal
from terminal import PROGRAM, Terminal

DEMO = Path(__file__).parents[2] / "demo"
APP = [*PROGRAM, "tui", "--library", str(DEMO / "toy box")]


@pytest.fixture
def shell() -> Iterator[Terminal]:
    """An interactive shell, with jobs."""
    with terminal.run(["bash", "--norc", "--noprofile", "-i"]) as shell:
        shell.press("PS1='ready> '; set -o notify\n")
        shell.until("ready> ")
        yield shell


def started(shell: Terminal, command: str) -> list[str]:
    """Start the app; the rows it settles on."""
    shell.forget()
    shell.press(f"{command}\n")
    shell.until("indexed ·", 120)
    shell.escape()
    rows = shell.rows()
    assert all(rows[:2] + rows[-1:]), rows
    return rows


def suspend(shell: Terminal) -> None:
    shell.forget()
    shell.press("\x1a")
    back(shell)


def back(shell: Terminal, said: str = "Stopped") -> None:
    """The shell has the terminal again."""
    shell.until(said)
    shell.until("ready> ")
    rows = shell.rows()
    assert any(said in row for row in rows)
    assert not any("describe the music" in row for row in rows)


def job(shell: Terminal) -> int:
    """The process of the shell's job."""
    shell.forget()
    shell.press("jobs -l\n")
    shell.until("ready> ")
    found = re.search(r"\[1\]\+? +(\d+)", shell.text)
    assert found, shell.text
    return int(found[1])


def test_everything_is_painted_again_every_time(shell: Terminal) -> None:
    rows = started(shell, shlex.join(APP))
    for _ in range(3):
        suspend(shell)
        shell.press("fg\n")
        shell.until("describe the music")
        assert shell.rows() == rows
    suspend(shell)
    shell.resize(100, 30)
    shell.press("fg\n")
    shell.until("describe the music")
    wide = shell.rows()
    assert len(wide) == 30
    assert all(wide[:2] + wide[-1:])
    shell.press("?")
    shell.until("another list for the same words")
    dialog = shell.rows()
    suspend(shell)
    shell.press("fg\n")
    shell.until("help")
    assert shell.rows() == dialog


def test_in_the_background_it_waits_for_the_terminal(shell: Terminal) -> None:
    rows = started(shell, shlex.join(APP))
    suspend(shell)
    shell.forget()
    shell.press("bg\n")
    shell.until("Stopped")
    assert not any("describe the music" in row for row in shell.rows())
    shell.press("fg\n")
    shell.until("describe the music")
    assert shell.rows() == rows


def test_a_program_that_started_it_is_stopped_with_it(shell: Terminal) -> None:
    rows = started(shell, f"sh -c {shlex.quote(shlex.join(APP) + '; true')}")
    suspend(shell)
    shell.press("fg\n")
    shell.until("describe the music")
    assert shell.rows() == rows


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_it_comes_back_from_stops_of_others(shell: Terminal, number: signal.Signals) -> None:
    rows = started(shell, shlex.join(APP))
    suspend(shell)
    pid = job(shell)
    shell.press("fg\n")
    shell.until("describe the music")
    shell.forget()
    os.kill(pid, number)
    shell.until("Stopped")
    shell.press("reset -I 2>&-; fg\n")
    shell.until("describe the music")
    assert shell.rows() == rows


def test_a_stopped_job_can_be_ended(shell: Terminal) -> None:
    started(shell, shlex.join(APP))
    suspend(shell)
    before = shell.modes()
    shell.forget()
    shell.press("kill %1\n")
    shell.until("Exit 143", 10)
    assert shell.modes() == before
    assert not any("describe the music" in row for row in shell.rows())


def test_without_a_shell_to_return_to_it_goes_on() -> None:
    with terminal.run(APP) as app:
        app.until("indexed ·", 120)
        app.escape()
        rows = app.rows()
        app.press("\x1a")
        app.escape()
        assert app.rows() == rows
        app.press("q")
        assert app.wait(10)[1] == 0


def test_what_libraries_print_is_not_painted_over_it(tmp_path: Path) -> None:
    noise = (
        "import os, threading; threading.Timer(1, os.write, (2, b'dequantization failed')).start()"
    )
    command = [PROGRAM[0], "-c", f"{noise}\n{PROGRAM[2]}", *APP[3:]]
    with terminal.run(command) as app:
        app.until("indexed ·", 120)
        app.escape()
        app.escape()
        assert "dequantization" not in app.text
        app.press("q")
        assert app.wait(10)[1] == 0


def test_it_is_drawn_on_the_terminal_wherever_errors_go(tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    with terminal.run(["sh", "-c", f"exec {shlex.join(APP)} 2> {shlex.quote(str(errors))}"]) as app:
        app.until("describe the music")
        app.escape()
        app.press("q")
        assert app.wait(10)[1] == 0
    assert errors.read_text() == ""
