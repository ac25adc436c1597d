"""The crates are written to the notebook as they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gdr_model.notebook.crates import Crates
from gdr_tui.app.crates.state import Change, KeptCrates
from gdr_tui.app.notebook import NotebookThread


class CrateWriter:
    """Reads and writes crates on the notebook's thread."""

    def __init__(self, thread: NotebookThread, roots: Sequence[Path] = ()) -> None:
        """Read nothing yet; `roots` are the music folders, in whose spelling crates are read."""
        self._thread = thread
        self._roots = roots

    def read(self, then: Callable[[KeptCrates], object]) -> None:
        """Read every crate and hand them over, on the notebook's thread."""
        self._thread.read(lambda notebook: then(KeptCrates.read(Crates(notebook), self._roots)))

    def write(self, change: Change) -> None:
        """Change crates."""
        self._thread.write(lambda notebook: change(Crates(notebook)))
