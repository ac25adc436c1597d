"""All of stderr, and the exit codes.

0 done, 1 refused or failed, 2 usage; ended by a signal: 130 (ctrl+c), 143 (SIGTERM), 129 (SIGHUP).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer

from gdr_model.errors import GdrError, UsageError
from gdr_tui.ending import on_ending
from gdr_tui.next_steps import for_command_line
from gdr_tui.safe_text import literal

INTERRUPTED = 130
Misused: Any = typer.BadParameter.__bases__[0]
"""What the parser raises for unknown commands, options and values; typer exports subclasses."""


def say(sentence: str) -> None:
    """Print one line on stderr; bytes that are not text are made visible, never sent raw.

    Where stderr takes nothing, the exit code is all there is.
    """
    with suppress(OSError):
        print(literal(sentence), file=sys.stderr, flush=True)  # noqa: T201 (the one place)


_undone: list[str] = []
"""What the command that runs could not do, although it went on."""


def failed_in_part(sentence: str) -> None:
    """Say what cannot be done; the command goes on with the rest, and exits with 1."""
    _undone.append(sentence)
    say(f"gdr: {sentence}")


class Failed(Exception):
    """A command has reported what was wrong and ends with this exit code."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@contextmanager
def verdict() -> Iterator[None]:
    """Turn every failure that has a reason into one sentence and an exit code.

    Raises:
        Failed: instead of a `GdrError`, a value that the parser refuses, an interruption or a
            failure of the system; and after a part that could not be done.
    """
    ended_by: list[int] = []
    _undone.clear()

    def end(code: int) -> None:
        ended_by.append(code)
        raise KeyboardInterrupt

    before = on_ending(end)
    try:
        yield
        if _undone:
            raise Failed(1)
    except GdrError as error:
        say(f"gdr: {for_command_line(error)}")
        raise Failed(error.exit_code) from None
    except Misused as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise  # its message is the help, which typer prints
        # Some versions of typer put the class of the exception before what it says.
        sentence = error.format_message().replace(": Value error, ", ": ").strip().rstrip(".")
        say(f"gdr: {sentence[0].lower()}{sentence[1:]}")
        raise Failed(UsageError.exit_code) from None
    except KeyboardInterrupt:
        raise _interrupted(ended_by) from None
    except BrokenPipeError:
        # The reader has left (`gdr search … | head`); the interpreter must not complain on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Failed(0) from None
    except OSError as error:
        if ended_by:  # the terminal is gone, and with it the place for messages
            raise _interrupted(ended_by) from None
        where = f": {os.fsdecode(error.filename)}" if error.filename else ""
        say(f"gdr: {error.strerror or error}{where}")
        raise Failed(1) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupted(ended_by: list[int]) -> Failed:
    say("gdr: interrupted; everything done so far is kept")
    return Failed(ended_by[0] if ended_by else INTERRUPTED)
