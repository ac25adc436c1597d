"""The model is loaded on a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gdr_model.types import Cancel, never
from gdr_tui.app.messages import ModelLoaded, ModelReady
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.values import Loaded


class Loads(Protocol):
    """The part of a session that loads the model."""

    def load(self) -> Loaded:
        """Load the model; the slow step, seconds."""

    def warm(self) -> None:
        """Load the text side too, which the model would put off until the first query."""

    def to_cpu(self) -> Loaded | None:
        """Load the model again on the CPU; None if it was there."""

    def catch_up(self) -> Loaded | None:
        """Let the newest model answer if an earlier one did; None if nothing changes."""

    def refresh(self) -> bool:
        """Let queries find what was indexed since; True if there is anything new."""

    def prepare(self, on_progress: Callable[[int, int], object], cancelled: Cancel = never) -> None:
        """Load, build or upload what makes searches faster; queries are answered meanwhile."""

    def generations(self) -> list[int]:
        """A number for every library, which changes whenever any program changes the library."""


class ModelJobs:
    """Starts the loading."""

    def __init__(self, tasks: Tasks, loader: Loads) -> None:
        self._tasks = tasks
        self._loader = loader

    def load(self) -> None:
        """Load the model, then its text side."""
        self._tasks.guard("load", self._load, "model")

    def _load(self, _cancelled: Cancel) -> None:
        self._tasks.post(ModelLoaded(self._loader.load()))
        try:
            self._loader.warm()
        finally:  # without its text side the model still indexes
            self._tasks.post(ModelReady())
