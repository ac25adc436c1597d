"""SIGTERM, SIGHUP and a closed window end the app as its own key does."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import terminal
from terminal import PROGRAM, Terminal

from gdr_model import paths
from gdr_model.notebook.database import Notebook
from gdr_model.notebook.trails import Trails
from gdr_model.store.library import Library
from gdr_tui.ending import PATIENCE_S

DEMO = Path(__file__).parents[2] / "demo"
LEAVES_S = 5.0
"""What ending can take here; benchmarks/app.py measures it, where less else is going on."""
SLOW = "steps = 200\ndraws = 64\n"
MANY = 150
"""Files of which some are left when indexing is ended after the first ones are stored."""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The demo library in a folder of its own, never indexed."""
    folder = tmp_path / "Music"
    shutil.copytree(DEMO, folder)
    return folder


@pytest.fixture
def few(library: Path) -> Path:
    """A folder of two tracks."""
    return library / "toy box"


def command(library: Path) -> list[str]:
    return [*PROGRAM, "tui", "--library", str(library)]


def asked(app: Terminal) -> None:
    """A query has been asked and answered."""
    app.until("tracks · indexed", 120)
    app.press("warm piano\r")
    app.until("“warm piano”", 60)


def kept(library: Path) -> list[str]:
    """The prompts in the trail of a library."""
    with Notebook.open() as notebook:
        return [query.steering.prompt for query in Trails(notebook).read([library]).queries]


def ended_by(app: Terminal, number: int, before: list[object]) -> None:
    """The app ends, and the terminal is as it was."""
    assert app.wait(LEAVES_S)[1] == 128 + number
    assert app.modes() == {}
    assert app.line_modes() == before
    assert "Traceback" not in app.text
    assert "saved" not in app.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_leaves_the_terminal_as_it_was_and_keeps_the_trail(few: Path, number: int) -> None:
    with terminal.run(command(few)) as app:
        before = app.line_modes()
        asked(app)
        assert app.modes()
        assert app.line_modes() != before
        os.kill(app.pid, number)
        ended_by(app, number, before)
    assert kept(few) == ["warm piano"]


def starting(app: Terminal) -> None:
    app.until("describe the music")


def loading(app: Terminal) -> None:
    app.until("loading the text model")


def indexing(app: Terminal) -> None:
    app.until("indexing", 120)


def drawing(app: Terminal) -> None:
    app.until("tracks · indexed", 120)
    app.press("warm piano\r")
    app.until("drawing", 60)


def helping(app: Terminal) -> None:
    app.until("tracks · indexed", 120)
    app.escape()
    app.press("?")
    app.until("another list")


@pytest.mark.parametrize("busy", [starting, loading, indexing, drawing, helping])
def test_it_ends_whatever_it_is_doing(library: Path, busy: Callable[[Terminal], None]) -> None:
    paths.home().mkdir(parents=True, exist_ok=True)
    (paths.home() / "settings.toml").write_text(SLOW)
    with terminal.run(command(library)) as app:
        before = app.line_modes()
        busy(app)
        os.kill(app.pid, signal.SIGTERM)
        os.kill(app.pid, signal.SIGTERM)
        ended_by(app, signal.SIGTERM, before)


@pytest.mark.parametrize("ignored", ["", "trap '' HUP; "])
def test_it_ends_with_its_window_and_keeps_the_trail(few: Path, ignored: str) -> None:
    with terminal.run(["sh", "-c", f"{ignored}exec {shlex.join(command(few))}"]) as app:
        asked(app)
        app.hang_up()
        assert app.wait(LEAVES_S)[1] == 128 + signal.SIGHUP
    assert kept(few) == ["warm piano"]


def test_a_hang_up_that_its_user_ignores_does_not_end_it(few: Path) -> None:
    with terminal.run(["sh", "-c", f"trap '' HUP; exec {shlex.join(command(few))}"]) as app:
        app.until("tracks · indexed", 120)
        os.kill(app.pid, signal.SIGHUP)
        app.escape()
        assert not app.ended
        app.press("q")
        assert app.wait(LEAVES_S)[1] == 0


def test_stopped_it_ends_once_it_is_continued(few: Path) -> None:
    with terminal.run(command(few)) as app:
        asked(app)
        os.kill(app.pid, signal.SIGSTOP)
        os.kill(app.pid, signal.SIGTERM)
        time.sleep(0.3)
        assert not app.ended
        os.kill(app.pid, signal.SIGCONT)
        assert app.wait(LEAVES_S)[1] == 128 + signal.SIGTERM
        assert app.modes() == {}
    assert kept(few) == ["warm piano"]


def indexed(library: Path) -> int:
    """How many tracks the store of a library holds, also while it is being filled."""
    if not paths.store_of(library).exists():
        return 0
    with Library.open(library) as opened:
        return opened.count()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_indexing_that_is_ended_keeps_what_was_done(
    music: Path, write_tone: Callable[..., Path], number: int
) -> None:
    for tone in range(MANY):
        write_tone(music / f"{tone}.flac", hz=200 + 5 * tone, seconds=10)
    with terminal.run([*PROGRAM, "index", str(music)]) as app:
        app.until(f"/{MANY}", 120)
        while not indexed(music):
            app.read(0.05)
        if number == signal.SIGHUP:
            app.hang_up()
        else:
            os.kill(app.pid, number)
        assert app.wait(LEAVES_S)[1] == 128 + number
        if number != signal.SIGHUP:
            said = "gdr: interrupted; everything done so far is kept"
            assert app.text.count(said) == 1
            assert "Traceback" not in app.text
            assert app.modes() == {}
    done = indexed(music)
    assert 0 < done < MANY
    with terminal.run([*PROGRAM, "index", str(music)]) as app:
        app.until(f"{MANY - done} new, {done} unchanged", 120)
        assert app.wait(20)[1] == 0


def test_a_command_that_does_not_end_is_ended_by_the_next_signal(tmp_path: Path) -> None:
    code = (
        "import sys, threading, time\n"
        "from gdr_tui.cli.diagnostics import verdict\n"
        "with verdict():\n"
        "    try:\n"
        "        print('begun', flush=True); time.sleep(60)\n"
        "    finally:\n"
        "        print('ending', flush=True); threading.Event().wait()\n"
    )
    with terminal.run([PROGRAM[0], "-c", code]) as app:
        app.until("begun")
        os.kill(app.pid, signal.SIGTERM)
        app.until("ending")
        os.kill(app.pid, signal.SIGTERM)
        time.sleep(PATIENCE_S)
        assert not app.ended
        os.kill(app.pid, signal.SIGTERM)
        assert app.wait(LEAVES_S)[1] == 128 + signal.SIGTERM
