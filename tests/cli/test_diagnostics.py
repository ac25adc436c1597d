"""How commands end: sentences and exit codes for every kind of failure."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gdr_model import errors
from gdr_tui.cli.diagnostics import INTERRUPTED, Failed, say, verdict

PROGRAM = [sys.executable, "-m", "gdr_tui.cli"]


@pytest.mark.parametrize(
    ("problem", "code", "said"),
    [
        (errors.UsageError("a prompt is too long"), 2, "gdr: a prompt is too long"),
        (errors.LibraryError("no library", errors.Hint.INDEX, root="/m"), 1, "run gdr index /m"),
        (errors.Cancelled("stopped"), INTERRUPTED, "gdr: stopped"),
        (KeyboardInterrupt(), INTERRUPTED, "gdr: interrupted; everything done so far is kept"),
        (OSError(28, "No space left on device", "/m/x"), 1, "gdr: No space left on device: /m/x"),
        (OSError("odd"), 1, "gdr: odd"),
    ],
)
def test_a_failure_with_a_reason_is_a_sentence_and_an_exit_code(
    problem: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Failed) as failed, verdict():
        raise problem
    assert failed.value.exit_code == code
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_a_fault_of_the_program_is_not_disguised() -> None:
    with pytest.raises(ZeroDivisionError), verdict():
        _ = 1 / 0


def test_nothing_is_said_of_what_goes_well(capsys: pytest.CaptureFixture[str]) -> None:
    with verdict():
        pass
    assert capsys.readouterr() == ("", "")


def test_what_is_said_cannot_act_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b]0;title\x07b\nc")
    assert capsys.readouterr().err == "a\\x1b]0;title\\x07b\\nc\n"


def test_a_reader_that_leaves_early_is_no_failure(demo: Path) -> None:
    """As in `gdr search … | head`, with more output than a pipe buffers."""
    prompts = "\n".join(f"piano {number}" for number in range(12)) * 4
    words = ["search", "--prompts-file", "-", "-f", "json", "-k", "99", "--steps", "1"]
    done = subprocess.run(
        ["sh", "-c", '"$@" | head -c 1', "sh", *PROGRAM, *words, "--draws", "1"],
        input=prompts.encode(),
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == (b"[", b"")


def test_ctrl_c_ends_a_command_with_130(demo: Path) -> None:
    words = [*PROGRAM, "search", "--prompts-file", "-"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        waits = Path(f"/proc/{process.pid}/wchan")
        for _ in range(200):  # until it waits for its standard input
            if not waits.exists() or "pipe" in waits.read_text():
                break
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert said == b"gdr: interrupted; everything done so far is kept\n"
