"""Background threads, none of which can block the app.

Work runs on daemon threads in named lanes: new work in a lane cancels what runs there. These are
not Textual workers, because a thread cannot be killed and Textual waits for its workers when the
app ends; here, quitting waits half a second at most.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from gdr_model.types import Cancel

Work = Callable[[Cancel], None]


class Background:
    """Lanes of work; the latest work in a lane wins."""

    def __init__(self) -> None:
        self._lanes: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self._changing = threading.Lock()
        self._stopped = False

    def start(self, lane: str, work: Work) -> None:
        """Run `work` on a thread and cancel what runs in the lane.

        Work that is started while the app ends is dropped.
        """
        stop = threading.Event()
        thread = threading.Thread(target=work, args=(stop.is_set,), name=lane, daemon=True)
        with self._changing:
            if self._stopped:
                return
            if before := self._lanes.get(lane):
                before.set()
            self._lanes[lane] = stop
            thread.start()
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]

    def cancel(self, lane: str) -> None:
        """Cancel what runs in the lane without waiting for it."""
        with self._changing:
            if stop := self._lanes.pop(lane, None):
                stop.set()

    def stop(self, wait_s: float = 0.5) -> bool:
        """Cancel everything; True if all threads ended within `wait_s`."""
        with self._changing:
            self._stopped = True
            for stop in self._lanes.values():
                stop.set()
            threads = self._threads
        deadline = time.monotonic() + wait_s
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)
