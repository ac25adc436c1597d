"""What starting a process takes where the main program is an app on a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import types
from collections.abc import Iterator
from multiprocessing import resource_tracker


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """Keep what is started meanwhile from running the main program, or a module of the music.

    multiprocessing would run the main program once more in each process. It also starts Python in
    a way that imports from the current folder first, which is often a folder of music.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        with environment("PYTHONSAFEPATH", "1"):
            yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set a variable for a process that is started meanwhile."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def start_tracker() -> None:
    """Start what multiprocessing needs before its first process, and hands stderr to.

    The app has put an object in the place of stderr that has no file descriptor.
    """
    if sys.platform == "win32":
        return
    shown = sys.stderr
    try:
        if sys.__stderr__ is not None:
            sys.stderr = sys.__stderr__
        resource_tracker.ensure_running()
    finally:
        sys.stderr = shown
