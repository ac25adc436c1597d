"""Pausing and resuming work."""

from __future__ import annotations

import threading
import time

from gdr_model.types import Cancel


class Pause:
    """A gate that work passes between its pieces; safe from any thread."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self.rested_s = 0.0
        """Seconds spent paused, which no rate should count."""

    @property
    def on(self) -> bool:
        """Whether work is paused."""
        return not self._open.is_set()

    def turn(self, on: bool) -> None:
        """Pause or resume work."""
        (self._open.clear if on else self._open.set)()

    def pass_by(self, cancelled: Cancel) -> None:
        """Block while work is paused and not cancelled."""
        if not self.on:
            return
        began = time.monotonic()
        while not self._open.wait(0.1) and not cancelled():
            pass
        self.rested_s += time.monotonic() - began
