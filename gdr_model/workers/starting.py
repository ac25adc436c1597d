"""What starting a process takes where the main program is an app on a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import types
from collections.abc import Iterator
from multiprocessing import resource_tracker


@contextlib.contextmanager
def without_main() -> Iterator[None]:
    """Hide the main program from multiprocessing, which would run it once more in each process."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set a variable for a process that is started meanwhile, unless the value is empty."""
    if value:
        os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name, None)


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
