"""The reading of some files by the readers of a cluster.

Each reader has a file that it reads and one to read next. Either may be why a reader went away, so
each is read again on its own, elsewhere if it can be, and given up after `TRIES` readers.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Any

from gdr_model import __version__
from gdr_model.errors import Cancelled, DecodeError, FileUnavailable
from gdr_model.patience import answered
from gdr_model.types import Cancel
from gdr_model.workers.cluster.nodes import Nodes, Remote
from gdr_model.workers.cluster.reader import Answer
from gdr_model.workers.tasks import Outcome, Task, size

TRIES = 3
"""Readers on which a file is tried that go away, or do not see it."""
_ASKED = 2
"""Files that each reader knows of, so that it need not wait for the next one."""
_AHEAD = 64
"""Outcomes for each reader that can wait for an earlier one."""
_AHEAD_BYTES = 256 << 20
_POLL_S = 0.1


class Reading:
    """One list of files, and how far it is read."""

    def __init__(self, ray: Any, nodes: Nodes, tasks: Sequence[Task], cancelled: Cancel) -> None:
        """Ask nothing yet.

        Args:
            ray: Ray's module, connected.
            nodes: what reads.
            tasks: the files.
            cancelled: polled several times a second.
        """
        self._ray = ray
        self._cancelled = cancelled
        self._nodes = nodes
        self._tasks = tasks
        self._waiting = deque(range(len(tasks)))
        self._again: dict[int, str] = {}
        """Tasks to try once more, with the node where they were tried last."""
        self._tries: Counter[int] = Counter()
        self._ready: dict[int, Outcome] = {}
        self._ready_bytes = 0
        self._next = 0

    def outcomes(self) -> Iterator[Outcome]:
        """The outcomes in the order of the tasks.

        Raises:
            GdrError: if there is no node left that reads.
            Cancelled: when asked.
        """
        while self._next < len(self._tasks):
            if self._cancelled():
                raise Cancelled("stopped")
            self._nodes.look()
            self._assign()
            self._receive()
            while self._next in self._ready:
                outcome = self._ready.pop(self._next)
                self._ready_bytes -= size(outcome)
                self._next += 1
                yield outcome

    def _assign(self) -> None:
        # Nobody is given a second file while another has none.
        for depth in range(_ASKED):
            for each in self._nodes.readers:
                if each.begun is None and len(each.asked) == depth:
                    number = self._pick(each)
                    if number is not None:
                        answer = each.actor.read.remote(self._tasks[number])
                        each.asked.append((number, answer))

    def _pick(self, each: Remote) -> int | None:
        """A task for a reader: one to try again where it was not tried, else the next."""
        if each.asked and self._tries[each.asked[0][0]]:
            return None
        ready = (other for other in self._nodes.readers if other.begun is None)
        alone = all(other.node == each.node for other in ready)
        for number in sorted(self._again) if not each.asked else ():
            if alone or self._again[number] != each.node:
                del self._again[number]
                return number
        if not self._waiting:
            return None
        number = self._waiting[0]
        is_far = number - self._next >= _AHEAD * len(self._nodes.readers)
        if number > self._next and (is_far or self._ready_bytes > _AHEAD_BYTES):
            return None
        return self._waiting.popleft()

    def _receive(self) -> None:
        awaited = {self._answer(each): each for each in self._nodes.readers}
        awaited.pop(None, None)
        if not awaited:
            time.sleep(_POLL_S)
            return
        # Waiting for all of them would wait for the slowest.
        first, _ = self._ray.wait(list(awaited), num_returns=1, timeout=_POLL_S)
        if first:
            ready, _ = self._ray.wait(list(awaited), num_returns=len(awaited), timeout=0)
            for answer in ready:
                if awaited[answer] in self._nodes.readers:
                    self._take(awaited[answer], answer)

    def _answer(self, each: Remote) -> Any:
        """What a reader answers next."""
        if each.begun is not None:
            return each.begun
        return each.asked[0][1] if each.asked else None

    def _take(self, each: Remote, answer: Any) -> None:
        from ray.exceptions import RayError

        try:
            found = self._ray.get(answer)
        except RayError as error:
            self._lose(each, error)
            return
        if each.begun is None:
            self._answered(each, found)
        elif found == __version__:
            self._nodes.begun(each)
        else:
            self._refuse(each, f"it has gdr {found}, and this is {__version__}")

    def _answered(self, each: Remote, found: Answer) -> None:
        number, _ = each.asked.popleft()
        if isinstance(found, Outcome):
            each.has_read = True
            self._done(number, found)
        elif found is None:
            self._unseen(each, number)
        else:
            self._again[number] = each.node
            self._refuse(each, str(found))

    def _unseen(self, each: Remote, number: int) -> None:
        """Judge a file that a node does not see."""
        path = self._tasks[number].path
        if not answered(lambda: os.path.lexists(path), True):
            self._done(number, Outcome(error=DecodeError("there is no such file any more")))
        elif each.has_read:
            self._try_again(number, each, f"{each.host} does not see it")
        else:
            self._again[number] = each.node
            self._refuse(each, f"it does not see {path}")

    def _refuse(self, each: Remote, reason: str) -> None:
        """Use a node no longer that cannot read."""
        for lost in self._nodes.refuse(each, reason):
            self._again |= {asked: lost.node for asked, _ in lost.asked}

    def _lose(self, each: Remote, error: Exception) -> None:
        """Have the files of a reader that is gone read by others."""
        for number, _ in each.asked:
            self._try_again(number, each, "what read it went away each time")
        self._nodes.lose(each, error)

    def _try_again(self, number: int, each: Remote, reason: str) -> None:
        self._tries[number] += 1
        if self._tries[number] >= TRIES:
            said = f"tried on {TRIES} readers of the cluster, {reason}"
            self._done(number, Outcome(error=FileUnavailable(said)))
        else:
            self._again[number] = each.node

    def _done(self, number: int, outcome: Outcome) -> None:
        self._ready[number] = outcome
        self._ready_bytes += size(outcome)
