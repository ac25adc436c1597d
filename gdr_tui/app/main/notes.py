"""The app's door to the notebook: trails and crates, written on a thread of their own.

No key waits for the disk. What is written is queued in the order in which it happened, and the
app waits for the queue, shortly, when it ends. While the disk is full or another program holds the
notebook, that is said once, everything else goes on, and the queue is kept and tried again.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from gdr_model.errors import StoreUnavailable
from gdr_model.notebook.crates import Crates
from gdr_model.notebook.database import Notebook
from gdr_model.notebook.trails import KeptTrail, Trails
from gdr_tui.app.crates.state import Change, KeptCrates
from gdr_tui.app.trail.trail import Node
from gdr_tui.app.values import sentence

Work = Callable[[Notebook], object]
T = TypeVar("T")

PATIENCE_S = 0.2
"""How long SQLite waits for another program at a time: leaving must not take longer."""
AGAIN_S = 1.0

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
        self._work: queue.SimpleQueue[tuple[Work, bool] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="notes", daemon=True)
        self._began = False
        self._ended = False
        self._ending = threading.Event()
        self.unkept = 0
        """Changes that could not be written before the app had to end."""
        self.problem = "the disk did not answer in time"
        """Why, if any."""
        self._starting = threading.Lock()

    # Trails; a `Keeper` of trail.py

    def read_trail(self, then: Callable[[KeptTrail], object]) -> None:
        """Read the trail and hand it over, on the notebook's thread."""
        self.do(lambda notebook: then(Trails(notebook).read(self._roots)), changes=False)

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
        self.do(lambda notebook: then(KeptCrates.read(Crates(notebook))), changes=False)

    def with_crates(self, change: Change) -> None:
        """Change crates, on the notebook's thread."""
        self.do(lambda notebook: change(Crates(notebook)))

    # How

    def do(self, work: Work, *, changes: bool = True) -> None:
        """Queue a change, or a question; dropped once the app has ended."""
        with self._starting:
            if self._ended:
                return
            self._work.put((work, changes))
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
        self._ending.set()
        self._thread.join(wait_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            notebook = self._until_it_goes(lambda: Notebook.open(patience_s=PATIENCE_S))
        except Exception as error:
            self.problem = sentence(error)
            self._complain(self.problem)
            notebook = None
        if notebook is None:
            self._count_unkept()
            return
        with notebook:
            while queued := self._work.get():
                work, changes = queued
                try:
                    self._until_it_goes(partial(work, notebook))
                except StoreUnavailable:
                    self.unkept += changes
                except Exception as error:
                    self._complain(sentence(error))

    def _until_it_goes(self, act: Callable[[], T]) -> T:
        """Try again and again while the notebook is out of reach, and say so once.

        Raises:
            StoreUnavailable: if the app ends meanwhile.
        """
        tries = 0
        while True:
            try:
                done = act()
            except StoreUnavailable as error:
                tries, self.problem = tries + 1, sentence(error)
                if self._ending.is_set():
                    raise
                if tries == 2:
                    self._complain(f"{error}; what you do is kept in mind and written when it can")
                self._ending.wait(AGAIN_S)
                continue
            if tries > 1:
                self._complain("the trail and the crates can be written again, and are")
            return done

    def _count_unkept(self) -> None:
        while queued := self._work.get():
            self.unkept += queued[1]
