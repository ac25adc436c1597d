"""Which files are there now, asked of the file system and never waiting for a disk that hangs."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

PATIENCE_S = 2.0
"""How long a disk may take to answer about one file: a disk that spins up takes longer once."""

_MOUNT_PARTS = 4
"""Files that share so many parts of their paths (`/media/user/disk`) are on one disk, mostly."""

T = TypeVar("T")


def missing(paths: Iterable[Path], patience_s: float = PATIENCE_S) -> set[Path]:
    """The files that are not there now, or on a disk that does not answer.

    One thread asks for each disk, so that one that hangs keeps no other from answering.
    """
    disks: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    wanted = list(paths)
    for path in wanted:
        disks[path.parts[:_MOUNT_PARTS]].append(path)
    there: set[Path] = set()
    asking = [_Asking(files, there) for files in disks.values()]
    while any(each.is_waiting(patience_s) for each in asking):
        time.sleep(0.002)
    return set(wanted) - there.copy()


def is_gone(folder: Path, patience_s: float = PATIENCE_S) -> bool:
    """Whether a folder is missing, holds nothing at all (an unused mount point), or hangs."""
    return answered(lambda: _holds_nothing(folder), True, patience_s)


def answered(ask: Callable[[], T], otherwise: T, patience_s: float = PATIENCE_S) -> T:
    """What a call to the file system returns, or `otherwise` if it does not return in time."""
    answers: list[T] = []
    thread = threading.Thread(target=lambda: answers.append(ask()), daemon=True)
    thread.start()
    thread.join(patience_s)
    return answers[0] if answers else otherwise


class _Asking:
    """A thread that looks for files on one disk."""

    def __init__(self, files: list[Path], there: set[Path]) -> None:
        self._files, self._there = files, there
        self._asked_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="gdr-presence", daemon=True)
        self._thread.start()

    def is_waiting(self, patience_s: float) -> bool:
        """Whether it is still worth waiting for."""
        return self._thread.is_alive() and time.monotonic() - self._asked_at < patience_s

    def _run(self) -> None:
        for path in self._files:
            self._asked_at = time.monotonic()
            try:
                os.stat(path)
            except (OSError, ValueError):
                continue
            self._there.add(path)


def _holds_nothing(folder: Path) -> bool:
    try:
        with os.scandir(folder) as listing:
            return next(listing, None) is None
    except OSError:
        return True
