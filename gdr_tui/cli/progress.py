"""Progress on stderr, shown on a terminal only and gone when the work is done."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

from gdr_tui.safe_text import literal

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID


class Shown(Enum):
    """What a line of progress shows behind the name of its task."""

    COUNT = "a bar, done of total, a note, time left"
    BYTES = "a bar, bytes, speed, time left"
    NAME = "a spinner"


class Bars:
    """One line of progress for each task, added when the task is first reported."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def show(self, task: str, done: int = 0, total: int | None = None, note: str = "") -> None:
        """Report how far a task is; `total` may be unknown at first."""
        if task not in self._tasks:
            self._tasks[task] = self._progress.add_task(literal(task), total=total, note="")
        self._progress.update(self._tasks[task], completed=done, total=total, note=note)

    def say(self, doing: str) -> None:
        """Name what is being done, in the only line there is."""
        if not self._tasks:
            self._tasks[""] = self._progress.add_task("", note="")
        self._progress.update(self._tasks[""], description=literal(doing))


@contextmanager
def bars(shown: Shown = Shown.COUNT) -> Iterator[Bars]:
    """Bars on stderr."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(
        *_columns(shown),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as progress:
        yield Bars(progress)


def rate(audio_s: float, elapsed_s: float) -> str:
    """How fast sound is read, as a multiple of real time."""
    return f"{audio_s / elapsed_s if elapsed_s else 0.0:,.0f} × real time"


def _columns(shown: Shown) -> list[ProgressColumn]:
    from rich import progress

    # Names are not markup: a folder can be called [red].
    name = progress.TextColumn("{task.description}", markup=False)
    match shown:
        case Shown.COUNT:
            note = progress.TextColumn("{task.fields[note]}", markup=False)
            counts = progress.BarColumn(), progress.MofNCompleteColumn(), note
            return [name, *counts, progress.TimeRemainingColumn()]
        case Shown.BYTES:
            size = progress.DownloadColumn(), progress.TransferSpeedColumn()
            return [name, progress.BarColumn(), *size, progress.TimeRemainingColumn()]
        case Shown.NAME:
            return [progress.SpinnerColumn(), name]
