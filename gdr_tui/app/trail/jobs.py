"""Fingerprints for a saved trail are computed on a thread."""

from __future__ import annotations

from typing import Protocol

from gdr_model.types import Cancel
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.trail.messages import PrintsRead
from gdr_tui.app.values import Prints


class Fingerprints(Protocol):
    """The part of a session that fingerprints model and libraries."""

    def prints(self) -> Prints:
        """Fingerprints of the model and every library."""


class TrailJobs:
    """Starts the computing of fingerprints."""

    def __init__(self, tasks: Tasks, fingerprinter: Fingerprints) -> None:
        self._tasks = tasks
        self._fingerprinter = fingerprinter

    def prints(self) -> None:
        """Fingerprint the model and the libraries."""
        self._tasks.guard("prints", self._prints, "saved trail")

    def _prints(self, _cancelled: Cancel) -> None:
        self._tasks.post(PrintsRead(self._fingerprinter.prints()))
