"""Read files in this process, one after the other: for a few files that can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gdr_model.errors import Cancelled, DecodeError
from gdr_model.remote.files import copied
from gdr_model.types import Cancel, never
from gdr_model.workers import tasks
from gdr_model.workers.tasks import Found, Outcome, Task, Wanted


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
                found = _read(task, sample_rate_hz, cancelled)
            except (DecodeError, MemoryError) as error:
                yield Outcome(error=error)
                continue
            if found.sound and not wanted(found.sound.content):
                found = found._replace(samples=None)
            yield Outcome(found)


def _read(task: Task, sample_rate_hz: int, cancelled: Cancel) -> Found:
    if task.address is None:
        return tasks.read(task, sample_rate_hz, cancelled)
    with copied(task.address, cancelled) as path:
        return tasks.read(task._replace(path=path), sample_rate_hz, cancelled)
