"""The program as a process in a terminal: how it ends, stops, goes on and is resized."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
import terminal
from terminal import PROGRAM, Terminal

from gdr_model import paths

DEMO = Path(__file__).parents[2] / "demo"
LEAVES_S = 3.0
"""What a quit may take here; benchmarks/app.py measures it, where less else is going on."""
SLOW = "steps = 200\ndraws = 64\n"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The demo library in a folder of its own, never indexed, and slow draws."""
    folder = tmp_path / "Music"
    shutil.copytree(DEMO, folder)
    paths.home().mkdir(parents=True, exist_ok=True)
    (paths.home() / "settings.toml").write_text(SLOW)
    return folder


def command(library: Path) -> list[str]:
    return [*PROGRAM, "tui", "--library", str(library)]


def leave(app: Terminal) -> None:
    app.escape()
    app.press("q")
    took_s, code = app.wait(LEAVES_S)
    assert code == 0
    assert took_s < LEAVES_S
    assert "Traceback" not in app.text


def test_it_ends_while_it_indexes_and_while_it_draws(library: Path) -> None:
    with terminal.run(command(library)) as app:
        app.until("describe the music")
        app.until("indexing", 120)
        leave(app)
    with terminal.run(command(library)) as app:
        app.until("indexed", 120)
        app.press("warm piano\r")
        app.until("drawing", 60)
        leave(app)


def test_what_is_typed_while_it_starts_is_a_prompt_and_no_command(library: Path) -> None:
    with terminal.run(command(library)) as app:
        app.press("quiet piano\r")  # q would quit
        app.until("the query waits for it", 120)
        assert app.rows()[0] == " / quiet piano"
        leave(app)


def test_it_stops_for_the_shell_and_goes_on(library: Path) -> None:
    with terminal.run(["bash", "--norc", "--noprofile", "-i"]) as shell:
        shell.press(f"PS1='ready> '; {shlex.join(command(library))}\n")
        shell.until("describe the music")
        shell.forget()
        shell.press("\x1a")
        shell.until("Stopped")
        shell.until("ready> ")
        shell.forget()
        shell.press("fg\n")
        shell.until("describe the music")
        shell.resize(20, 5)
        shell.forget()
        shell.resize(100, 30)
        shell.until("describe the music")
        shell.escape()
        shell.press("q")
        shell.until("ready> ")
        assert "Traceback" not in shell.text
        shell.press("exit\n")
        shell.wait(20)


def test_the_size_is_that_of_the_terminal_whatever_the_environment_says() -> None:
    environment = {"COLUMNS": "60", "LINES": "20"}
    with terminal.run(command(DEMO / "toy box"), (110, 30), environment) as app:
        app.until("describe the music")
        rows = app.rows()
        assert len(rows[2]) == 110
        assert "? help" in rows[-1]
