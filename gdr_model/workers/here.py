"""Read files in this process, one after the other: for a few files that can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gdr_model.errors import Cancelled, DecodeError
from gdr_model.types import Cancel, never
from gdr_model.workers import tasks
from gdr_model.workers.tasks import Outcome, Task, Wanted


class Here:
    """Decodes in the calling thread. What ends a decoder ends the program."""

    def read(
        self,
        todo: Sequence[Task],
        sample_rate_hz: int,
        wanted: Wanted,
        cancelled: Cancel = never,
    ) -> Iterator[Outcome]:
        """See `Engine.read`."""
        for task in todo:
            if cancelled():
                raise Cancelled("stopped")
            try:
                found = tasks.read(task, sample_rate_hz, cancelled)
            except (DecodeError, MemoryError) as error:
                yield Outcome(error=error)
                continue
            if found.sound and not wanted(found.sound.content):
                found = found._replace(samples=None)
            yield Outcome(found)
