"""The app's door to the notebook: trails and crates, written on a thread of their own.

No key waits for the disk. What is written is queued in the order in which it happened, and the
app waits for the queue, shortly, when it ends. A notebook that cannot be used is said once, and
everything else goes on.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path

from gdr_model.crates import Crates
from gdr_model.errors import GdrError
from gdr_model.notebook import Notebook
from gdr_model.trails import KeptTrail, Trails
from gdr_tui.shelf import Change, KeptCrates
from gdr_tui.trail import Node

Work = Callable[[Notebook], object]

__all__ = ["KeptCrates", "KeptTrail", "Notes"]


class Notes:
    """A queue of changes, and the one thread that makes them."""

    def __init__(self, roots: list[Path], complain: Callable[[str], object]) -> None:
        """Open nothing yet.

        Args:
            roots: the music folders whose trail it is.
            complain: told, on any thread, in one sentence what could not be kept.
        """
        self._roots = roots
        self._complain = complain
        self._work: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="notes", daemon=True)
        self._began = False
        self._ended = False
        self._starting = threading.Lock()

    # Trails; a `Keeper` of trail.py

    def read_trail(self, then: Callable[[KeptTrail], object]) -> None:
        """Read the trail and hand it over, on the notebook's thread."""
        self.do(lambda notebook: then(Trails(notebook).read(self._roots)))

    def asked(self, node: Node) -> None:
        """Keep a query and what it found."""

        def keep(notebook: Notebook) -> None:
            trails = Trails(notebook)
            if node.id is None:
                parent = node.parent.id if node.parent else None
                node.id = trails.add(self._roots, parent, node.ask.steering, node.ask.where)
            trails.put_results(node.id, node.results)

        self.do(keep)

    def stood(self, node: Node) -> None:
        """Keep where the trail stands."""

        def keep(notebook: Notebook) -> None:
            if node.id is not None:
                Trails(notebook).stand(node.id)

        self.do(keep)

    def described(self, node: Node) -> None:
        """Keep what the user calls a query, and whether it is put away."""
        name, away = node.name, node.away

        def keep(notebook: Notebook) -> None:
            if node.id is not None:
                Trails(notebook).describe(node.id, name, away)

        self.do(keep)

    # Crates

    def read_crates(self, then: Callable[[KeptCrates], object]) -> None:
        """Read every crate and hand them over, on the notebook's thread."""
        self.do(lambda notebook: then(KeptCrates.read(Crates(notebook))))

    def with_crates(self, change: Change) -> None:
        """Change crates, on the notebook's thread."""
        self.do(lambda notebook: change(Crates(notebook)))

    # How

    def do(self, work: Work) -> None:
        """Queue a change; dropped once the app has ended."""
        with self._starting:
            if self._ended:
                return
            self._work.put(work)
            if not self._began:
                self._began = True
                self._thread.start()

    def close(self, wait_s: float = 0.5) -> bool:
        """Write what is queued and let go of the notebook; True if that was done in time."""
        with self._starting:
            self._ended = True
            if not self._began:
                return True
            self._work.put(None)
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            notebook = Notebook.open()
        except GdrError as error:
            self._complain(str(error))
            return
        with notebook:
            while work := self._work.get():
                try:
                    work(notebook)
                except GdrError as error:
                    self._complain(str(error))
