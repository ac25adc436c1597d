"""Read files in several processes, any of which can die.

A decoder that crashes, hangs or takes too much memory costs its file and nothing else: the process
is ended where it hasn't ended already, and another takes its place. What hangs in the tags of a
file costs it its tags. A process that crashes may have been harmed by a file before, so the file
is tried once more in a fresh one.

Processes are forked from one that has imported torch, where that is safe, so that they share it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from gdr_model.errors import Cancelled
from gdr_model.types import Cancel, never
from gdr_model.workers import process, worker
from gdr_model.workers.encoders import LoadEncoder
from gdr_model.workers.process import Terms
from gdr_model.workers.room import TOGETHER_MB
from gdr_model.workers.tasks import Outcome, Task, Wanted, size
from gdr_model.workers.worker import Died, Spawning, Worker

_HELD = 32 << 20
"""Samples that all processes hold together, 128 MB, unless there are many of them."""
_LEAST_HELD = 8 << 20
"""Samples: nearly nine minutes at 16 kHz."""
_AHEAD = 64
"""Outcomes for each process that can wait for an earlier one."""
_AHEAD_BYTES = 96 << 20
_POLL_S = 0.1
ALONE_S = 2.0
"""How long processes work while the caller stores or encodes what they found; then they pause, as
they do at once while the caller is asked whether to continue."""


class Workers:
    """Processes that read files; they start when there is something to do."""

    def __init__(
        self,
        count: int,
        load: LoadEncoder | None = None,
        niceness: int = 0,
        together_mb: int = TOGETHER_MB,
    ) -> None:
        """Start nothing yet.

        Args:
            count: how many processes.
            load: gives each of them its encoder; None where the caller encodes.
            niceness: by how much to lower their priority.
            together_mb: memory that all of them can take for their files; beyond that they wait.
        """
        self._count = max(1, count)
        self._load = load
        self._niceness = niceness
        self._together_mb = together_mb
        self._spawning: Spawning | None = None
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes."""
        for each in self._workers:
            each.end()
        self._workers = []
        if self._spawning:
            self._spawning.close()
        self._spawning = None

    def read(
        self,
        tasks: Sequence[Task],
        sample_rate_hz: int,
        wanted: Wanted,
        cancelled: Cancel = never,
    ) -> Iterator[Outcome]:
        """See `Engine.read`."""
        if not tasks:
            return
        listening = any(task.decode for task in tasks)
        most = max(_LEAST_HELD, _HELD // self._count)
        if self._spawning and self._spawning.terms.load:
            listening = True  # processes that can encode read tags too
        load = self._load if listening else None
        terms = Terms(load, sample_rate_hz, most, self._niceness)
        if self._spawning is None or self._spawning.terms != terms:
            self.close()
            modules, encoder = ([load.MODULE], load.model) if load else ([], "")
            self._spawning = Spawning(terms, modules, encoder, self._count, self._together_mb)
        run = _Run(self._spawning, self._workers, tasks, wanted, cancelled)
        try:
            yield from run.outcomes(min(self._count, len(tasks)))
        except BaseException:
            self.close()
            raise
        finally:
            if any(each.task is not None for each in self._workers):
                self.close()


class _Run:
    """The reading of some files."""

    def __init__(
        self,
        spawning: Spawning,
        workers: list[Worker],
        tasks: Sequence[Task],
        wanted: Wanted,
        cancelled: Cancel,
    ) -> None:
        self._spawning = spawning
        self._workers = workers
        self._tasks = list(tasks)
        self._wanted = wanted
        self._cancelled = cancelled
        self._waiting = deque(range(len(tasks)))
        self._ready: dict[int, Outcome] = {}
        self._ready_bytes = 0
        self._again: set[int] = set()
        self._next = 0
        self._seen_s = time.monotonic()

    def outcomes(self, count: int) -> Iterator[Outcome]:
        """The outcomes in the order of the tasks, found by `count` processes."""
        while self._next < len(self._tasks):
            self._poll()
            while len(self._workers) < count:
                self._workers.append(self._spawning.start())
            self._assign()
            self._receive(0 if self._next in self._ready else _POLL_S)
            if self._next in self._ready:
                outcome = self._ready.pop(self._next)
                self._ready_bytes -= size(outcome)
                self._next += 1
                yield outcome

    def _poll(self) -> None:
        """Ask whether to stop; while the answer takes its time, everything pauses."""
        self._spawning.until[0] = 0
        if self._cancelled():
            raise Cancelled("stopped")
        now = time.monotonic()
        self._spawning.until[0] = now + ALONE_S
        if now - self._seen_s > 1:  # whoever waited for an answer meanwhile was not stuck
            for each in self._workers:
                each.excuse()
        self._seen_s = now

    def _assign(self) -> None:
        for each in list(self._workers):
            if each.task is not None or not self._waiting:
                continue
            number = self._waiting[0]
            is_far = number - self._next >= _AHEAD * len(self._workers)
            busy = sum(other.task is not None for other in self._workers)
            full = self._ready_bytes > _AHEAD_BYTES or not self._spawning.room.has_another(busy)
            if number > self._next and (is_far or full):
                return
            try:
                each.begin(self._waiting.popleft(), self._tasks[number])
            except Died:
                self._waiting.appendleft(number)
                self._replace(each)

    def _receive(self, timeout_s: float) -> None:
        for each, message in worker.messages(list(self._workers), timeout_s):
            if isinstance(message, Outcome):
                self._done(each.done(), message)
            elif isinstance(message, Died):
                self._died(each, message)
            else:
                each.answer(self._wanted(message))

    def _died(self, each: Worker, died: Died) -> None:
        number = each.task
        self._replace(each)
        if number is None:
            return
        task = self._tasks[number]
        if died.doing == process.TAGS and task.tags and task.decode:
            self._tasks[number] = task._replace(tags=False)
            self._waiting.appendleft(number)
        elif died.crashed and each.finished and number not in self._again:
            self._again.add(number)
            self._waiting.appendleft(number)
        else:
            self._done(number, Outcome(error=died.reason))

    def _replace(self, each: Worker) -> None:
        each.end()
        self._workers.remove(each)

    def _done(self, number: int, outcome: Outcome) -> None:
        self._ready[number] = outcome
        self._ready_bytes += size(outcome)
