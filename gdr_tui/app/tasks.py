"""Work on threads that ends in messages: each feature's jobs run their work here.

A job never raises: what goes wrong becomes one sentence in a message, and the app carries on.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.message import Message

from gdr_model.errors import Cancelled
from gdr_model.types import Cancel
from gdr_tui.app.background import Background
from gdr_tui.app.messages import WentWrong
from gdr_tui.app.values import sentence


class Tasks:
    """Lanes of work, and where their messages go."""

    def __init__(self, background: Background, post: Callable[[Message], object]) -> None:
        self._background = background
        self.post = post

    def start(self, lane: str, work: Callable[[Cancel], None]) -> None:
        """Run work that reports its own failures; what runs in the lane is cancelled."""
        self._background.start(lane, work)

    def guard(self, lane: str, work: Callable[[Cancel], None], about: str) -> None:
        """Run work in a lane; `WentWrong` reports its failure and what it was about."""

        def guarded(cancelled: Cancel) -> None:
            try:
                work(cancelled)
            except Cancelled:
                return
            except Exception as error:
                if not cancelled():
                    self.post(WentWrong(sentence(error), about))

        self._background.start(lane, guarded)

    def cancel(self, lane: str) -> None:
        """Cancel what runs in a lane."""
        self._background.cancel(lane)


def slept(seconds: float, cancelled: Cancel) -> bool:
    """Wait; True if that was cut short."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not cancelled():
        time.sleep(0.1)
    return cancelled()
