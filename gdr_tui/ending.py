"""Signals that tell the program to end, the same in every face."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

ENDING = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGINT") if hasattr(signal, name)
]
PATIENCE_S = 2.0
"""A program that has not ended this long after the first of these signals is ended by the next."""


def on_ending(end: Callable[[int], object]) -> Mapping[int, Any]:
    """Handle the signals that are not ignored (`nohup`); call it on the main thread.

    Args:
        end: called by the first signal, with the exit code of a program that it ended.

    Returns:
        The handlers before.
    """
    told_s: list[float] = []

    def handle(number: int, _: object) -> None:
        code = 128 + number
        if not told_s:
            told_s.append(time.monotonic())
            end(code)
        elif time.monotonic() - told_s[0] > PATIENCE_S:
            os._exit(code)

    heeded = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, handle) for number in heeded}
