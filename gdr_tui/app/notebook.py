"""The thread that reads and writes the notebook.

No key waits for the disk. Writes are queued in the order in which they happened, and the app
waits for the queue, briefly, when it ends. While the disk is full or another program holds the
notebook, that is reported once, everything else works on, and the queue is kept and retried.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from gdr_model.errors import StoreUnavailable
from gdr_model.notebook.database import Notebook
from gdr_tui.app.values import sentence

Work = Callable[[Notebook], object]
T = TypeVar("T")

PATIENCE_S = 0.2
"""How long SQLite waits for another program at a time: leaving must not take longer."""
RETRY_S = 1.0


class NotebookThread:
    """A queue of work on the notebook, and the one thread that does it."""

    def __init__(self, complain: Callable[[str], object]) -> None:
        """Open nothing yet.

        Args:
            complain: called, on any thread, with one sentence about what could not be written.
        """
        self._complain = complain
        self._work: queue.SimpleQueue[tuple[Work, bool] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="notebook", daemon=True)
        self._started = False
        self._ended = False
        self._ending = threading.Event()
        self.unwritten = 0
        """Writes that could not be made before the app had to end."""
        self.problem = "the disk did not answer in time"
        """Why, if any."""
        self._starting = threading.Lock()

    def write(self, work: Work) -> None:
        """Queue a write; dropped once the app has ended."""
        self._put(work, True)

    def read(self, work: Work) -> None:
        """Queue a read; dropped once the app has ended."""
        self._put(work, False)

    def close(self, wait_s: float = 0.5) -> bool:
        """Write what is queued and close the notebook; True if that was done in time."""
        with self._starting:
            self._ended = True
            if not self._started:
                return True
            self._work.put(None)
        self._ending.set()
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _put(self, work: Work, writes: bool) -> None:
        with self._starting:
            if self._ended:
                return
            self._work.put((work, writes))
            if not self._started:
                self._started = True
                self._thread.start()

    def _run(self) -> None:
        try:
            notebook = self._retried(lambda: Notebook.open(patience_s=PATIENCE_S))
        except Exception as error:
            self.problem = sentence(error)
            self._complain(self.problem)
            notebook = None
        if notebook is None:
            self._count_unwritten()
            return
        with notebook:
            while queued := self._work.get():
                work, writes = queued
                try:
                    self._retried(partial(work, notebook))
                except StoreUnavailable:
                    self.unwritten += writes
                except Exception as error:
                    self._complain(sentence(error))

    def _retried(self, act: Callable[[], T]) -> T:
        """Try again and again while the notebook is unavailable, and say so once.

        Raises:
            StoreUnavailable: if the app ends meanwhile.
        """
        tries = 0
        while True:
            try:
                result = act()
            except StoreUnavailable as error:
                tries, self.problem = tries + 1, sentence(error)
                if self._ending.is_set():
                    raise
                if tries == 2:
                    self._complain(f"{error}; changes are queued and will be saved when possible")
                self._ending.wait(RETRY_S)
                continue
            if tries > 1:
                self._complain("saving works again; queued changes were written")
            return result

    def _count_unwritten(self) -> None:
        while queued := self._work.get():
            self.unwritten += queued[1]
