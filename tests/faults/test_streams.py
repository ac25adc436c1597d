"""Closed and full streams, readers that leave, a terminal that gets what is for programs."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from machine import PROGRAM, gdr, write_music
from patience import run

from gdr_tui.cli.output import write_paths0

CLOSED = ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"]
COMMANDS = ["status", "--help", "--version", "crate --help", "tui"]


def in_shell(words: str, redirected: str) -> subprocess.CompletedProcess[str]:
    line = f"{shlex.join(PROGRAM)} {words} {redirected}"
    return run(["bash", "-o", "pipefail", "-c", line])


@pytest.mark.parametrize("words", COMMANDS)
def test_closed_streams_change_neither_the_verdict_nor_what_the_others_get(words: str) -> None:
    whole = gdr(*words.split())
    for redirected in CLOSED:
        done = in_shell(words, redirected)
        assert done.returncode == whole.returncode, (redirected, done.stderr)
        assert done.stderr == ("" if "2>" in redirected else whole.stderr), redirected
        assert done.stdout == ("" if ">&- " in redirected or redirected == ">&-" else whole.stdout)


def test_no_file_takes_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """A store opened as number 1 or 2 would be written full of messages."""
    look = (
        "import os, sys; from gdr_tui.cli.streams import fill_closed; fill_closed(); "
        "opened = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); "
        "print('a message'); print('another', file=sys.stderr); sys.exit(opened)"
    )
    file = tmp_path / "database"
    line = shlex.join([sys.executable, "-c", look, str(file)])
    done = run(["bash", "-c", f"{line} <&- >&- 2>&-"])
    assert done.returncode > 2
    assert file.read_bytes() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", COMMANDS[:-1])
def test_a_full_stdout_is_named(words: str) -> None:
    done = in_shell(words, "> /dev/full")
    assert (done.returncode, done.stderr) == (1, "gdr: No space left on device\n")
    assert in_shell(words, "2> /dev/full").returncode == 0, "what is said is not what was asked for"


@pytest.mark.parametrize("words", COMMANDS[:-1])
def test_a_reader_that_leaves_is_no_failure(words: str) -> None:
    done = in_shell(words, "| true")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_table_whose_reader_leaves_is_no_failure(tmp_path: Path) -> None:
    """It is printed by rich, which would end with 1."""
    write_music(tmp_path, 2)
    gdr("index", tmp_path)
    done = in_shell(f"search piano -L {shlex.quote(str(tmp_path))}", "| true")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_gets_names_for_programs_made_visible() -> None:
    main, terminal = os.openpty()
    name = "a\x1b]0;title\x07\nb.mp3"
    with os.fdopen(terminal, "w") as stdout, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        write_paths0([Path(name), Path("c.mp3")])
    shown = os.read(main, 1000)
    os.close(main)
    assert shown == b"a\\x1b]0;title\\x07\r\nb.mp3\0c.mp3\0"
