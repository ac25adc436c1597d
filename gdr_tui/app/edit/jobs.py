"""Edits are tried on a thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from gdr_model.errors import Cancelled
from gdr_model.types import Cancel, Results
from gdr_tui.app.edit.messages import PreviewFound
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.trail.trail import Ask
from gdr_tui.app.values import sentence

Find = Callable[[Ask, int, Cancel], Results]
"""Answers a query with so many results, on the thread that calls it."""


class EditJobs:
    """Starts the drawing of previews."""

    def __init__(self, tasks: Tasks, find: Find) -> None:
        self._tasks = tasks
        self._find = find

    def preview(self, number: int, ask: Ask, k: int) -> None:
        """Draw an edit that is being tried; the previous one is cancelled."""
        self._tasks.start("preview", partial(self._preview, number, ask, k))

    def cancel(self) -> None:
        """Cancel the try under way."""
        self._tasks.cancel("preview")

    def _preview(self, number: int, ask: Ask, k: int, cancelled: Cancel) -> None:
        began = time.monotonic()
        try:
            results = self._find(ask, k, cancelled)
        except Cancelled:
            return
        except Exception as error:
            self._tasks.post(PreviewFound(number, None, problem=sentence(error)))
            return
        self._tasks.post(PreviewFound(number, results, time.monotonic() - began))
