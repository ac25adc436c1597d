"""Ask the system about paths without waiting for a disk or a server that hangs.

What it does not answer in time it can still be busy with, so each question is asked in a thread
that is then left behind.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from gdr_model.errors import Cancelled

PATIENCE_S = 2.0
"""How long a disk may take to answer about one file: a disk that spins up takes longer once."""
NAMED_S = 10.0
"""How long it may take where someone has named a folder on it, which may have to spin up."""
READ_S = 40.0
"""How long it may take to answer about what is inside a music folder that is read."""
_RESTS_S = 60.0
"""A path that hung is not asked about again for so long."""

_LOOK_S = 0.1

T = TypeVar("T")

_hung: dict[str, float] = {}
"""Paths that did not answer, and when that was found."""


def answered(ask: Callable[[], T], otherwise: T, patience_s: float = PATIENCE_S) -> T:
    """What a call to the file system returns, or `otherwise` if it does not return in time."""
    for answer in answers(lambda: [ask()], patience_s):
        return answer
    return otherwise


def answers(
    ask: Callable[[], Iterable[T]], patience_s: float, cancelled: Callable[[], bool] = lambda: False
) -> list[T]:
    """What an iterable yields, as far as it gets; it ends early where nothing comes in time.

    Args:
        ask: gives the iterable, in another thread.
        patience_s: how long each answer may take.
        cancelled: polled meanwhile.

    Raises:
        Cancelled: when asked.
    """
    found: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            for answer in ask():
                found.append(answer)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="gdr-asking", daemon=True)
    thread.start()
    count, until = 0, time.monotonic() + patience_s
    while thread.is_alive() and (left := until - time.monotonic()) > 0:
        thread.join(min(_LOOK_S, left))
        if cancelled():
            raise Cancelled("stopped")
        if len(found) > count:
            count, until = len(found), time.monotonic() + patience_s
    for error in errors:
        raise error
    return found.copy()  # whatever the thread finds later


def is_folder(path: Path, patience_s: float = NAMED_S) -> bool:
    """Whether a path is a folder that is there now; one that hangs is not.

    Raises:
        OSError: if no folder can have this name, or nobody may look.
    """
    return _of(path, lambda absolute: Path(absolute).is_dir(), patience_s) or False


def real(path: str | Path, patience_s: float = PATIENCE_S) -> str:
    """An absolute path without symbolic links; with them, where the system does not answer."""
    return _of(path, os.path.realpath, patience_s) or os.path.abspath(path)


def _of(path: str | Path, ask: Callable[[str], T], patience_s: float) -> T | None:
    """What the system says of a path; None if it says nothing in time, or did not a moment ago."""
    absolute = os.path.abspath(path)
    if hangs(absolute):
        return None
    found = answered(lambda: ask(absolute), None, patience_s)
    if found is None:
        _hung[absolute] = time.monotonic()
    return found


def hangs(path: str | Path) -> bool:
    """Whether a path, or a folder around it, did not answer `real` or `is_folder` lately."""
    if not _hung:
        return False
    absolute = Path(os.path.abspath(path))
    since = (_hung.get(str(each)) for each in (absolute, *absolute.parents))
    now = time.monotonic()
    return any(at is not None and now - at < _RESTS_S for at in since)
