"""What runs on a node: reads one file after the other, in a process that can die."""

from __future__ import annotations

import os

from gdr_model import __version__
from gdr_model.errors import GdrError, first_line
from gdr_model.patience import answered
from gdr_model.workers.encoders import LoadEncoder
from gdr_model.workers.pool import Workers
from gdr_model.workers.tasks import Outcome, Task, Wanted

Answer = Outcome | GdrError | None
"""An outcome; why this node cannot read; None if it does not see the file."""


class Reader:
    """An actor for one processor, with what reads files on one machine: same limits, same rows."""

    def __init__(self, load: LoadEncoder) -> None:
        """Start nothing yet."""
        self._workers = Workers(1, load)
        self._sample_rate_hz = 0
        self._wanted: Wanted = bool

    def begin(self, sample_rate_hz: int, wanted: Wanted) -> str:
        """Take the terms of what is read next; returns which version of gdr this is."""
        self._sample_rate_hz, self._wanted = sample_rate_hz, wanted
        return __version__

    def read(self, task: Task) -> Answer:
        """Read a file."""
        if task.address is None and not answered(lambda: os.path.lexists(task.path), True):
            return None
        try:
            (outcome,) = self._workers.read([task], self._sample_rate_hz, self._wanted)
        except GdrError as error:
            return error.with_traceback(None)
        except Exception as error:
            return GdrError(f"{type(error).__name__}: {first_line(error)}")
        return outcome
