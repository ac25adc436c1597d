"""Queries that are tried while the user types or turns a dial: in the prompt, in the edit panel.

A try is drawn on a thread and is no query of the trail. Only the latest counts: it cancels the one
before. A query that asks what is being tried takes over its answer, and does not draw it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gdr_model.errors import Cancelled
from gdr_model.types import Cancel, Results
from gdr_tui.app.messages import Report
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.trail.trail import Ask
from gdr_tui.app.values import sentence

PAUSE_S = 0.15
"""A change is drawn this long after the last key, so that a held key causes one draw."""
_LANE = "preview"

Find = Callable[[Ask, int, Cancel], Results]
"""Answers a query with so many results, on the thread that calls it."""


class Try:
    """What is tried, and its answer once it is there."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self._ended = threading.Event()
        self._results: Results | None = None

    def end(self, results: Results | None) -> None:
        """Let go whoever waits for it; None where it has no answer."""
        self._results = results
        self._ended.set()

    def wait(self, cancelled: Cancel) -> Results | None:
        """Block until it has ended; None where it has no answer.

        Raises:
            Cancelled: when asked.
        """
        while not self._ended.wait(0.05):
            if cancelled():
                raise Cancelled("the query was cancelled")
        return self._results


@dataclass
class PreviewFound(Report):
    """What a try finds; stale unless it is the latest."""

    tried: Try
    results: Results | None
    took_s: float = 0.0
    problem: str = ""
    """One sentence where there is no answer."""


class Previews:
    """Starts tries, and knows which is the latest."""

    def __init__(self, tasks: Tasks, find: Find) -> None:
        self._tasks = tasks
        self._find = find
        self.tried: Try | None = None
        """The latest, drawn or being drawn."""

    def try_out(self, ask: Ask, k: int) -> bool:
        """Draw a query; the try before it is cancelled. False if it is the latest already."""
        if self.tried and self.tried.ask == ask:
            return False
        self.tried = Try(ask)
        self._tasks.start(_LANE, partial(self._draw, self.tried, k))
        return True

    def drop(self) -> None:
        """Cancel the latest try; its answer is stale from now on."""
        self._tasks.cancel(_LANE)
        self.tried = None

    def take_over(self, ask: Ask) -> Try | None:
        """The latest try if it asks the same, for the caller to wait for; else it is dropped."""
        tried = self.tried
        if tried is None or tried.ask != ask:
            self.drop()
            return None
        self.tried = None
        return tried

    def is_latest(self, found: PreviewFound) -> bool:
        """Whether an answer is that of the latest try."""
        return found.tried is self.tried

    def _draw(self, tried: Try, k: int, cancelled: Cancel) -> None:
        began, results, problem = time.monotonic(), None, ""
        try:
            results = self._find(tried.ask, k, cancelled)
        except Cancelled:
            return
        except Exception as error:
            problem = sentence(error)
        finally:
            tried.end(results)
        took_s = time.monotonic() - began
        self._tasks.post(PreviewFound(tried, results, took_s, problem))
