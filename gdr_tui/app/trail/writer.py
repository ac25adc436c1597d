"""The trail is written to the notebook as it grows.

What was learnt from choices among results is left out: it ends with the session, unless the user
saves the trail to a file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gdr_model.notebook.database import Notebook
from gdr_model.notebook.trails import KeptTrail, Trails
from gdr_tui.app.notebook import NotebookThread
from gdr_tui.app.trail.trail import Node


class TrailWriter:
    """The `Writer` of the trail of some music folders."""

    def __init__(self, thread: NotebookThread, roots: list[Path]) -> None:
        self._thread = thread
        self._roots = roots

    def read(self, then: Callable[[KeptTrail], object]) -> None:
        """Read the trail and hand it over, on the notebook's thread."""
        self._thread.read(lambda notebook: then(Trails(notebook).read(self._roots)))

    def save_answer(self, node: Node) -> None:
        """Write a query and what it found."""

        def write(notebook: Notebook) -> None:
            trails = Trails(notebook)
            if node.id is None:
                parent = node.parent.id if node.parent else None
                ask, steering = node.ask, node.ask.steering.but(evidence=())
                node.id = trails.add(self._roots, parent, steering, ask.where, ask.limits)
            trails.put_results(node.id, node.results)

        self._thread.write(write)

    def save_current(self, node: Node) -> None:
        """Write where the trail is."""

        def write(notebook: Notebook) -> None:
            if node.id is not None:
                Trails(notebook).make_current(node.id)

        self._thread.write(write)

    def save_name(self, node: Node) -> None:
        """Write a query's name, and whether it is hidden."""
        name, away = node.name, node.away

        def write(notebook: Notebook) -> None:
            if node.id is not None:
                Trails(notebook).describe(node.id, name, away)

        self._thread.write(write)
