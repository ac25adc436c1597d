"""Which files are there now, asked of the file system and never waiting for a disk that hangs."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import TypeVar

from gdr_model.patience import PATIENCE_S, answered
from gdr_model.remote.places import address_of

_MOUNT_PARTS = 4
"""Files that share so many parts of their paths (`/media/user/disk`) are on one disk, mostly."""
_MOST_THREADS = 16
_MOUNTS = Path("/proc/self/mounts")

T = TypeVar("T")


def missing(paths: Iterable[Path], patience_s: float = PATIENCE_S) -> set[Path]:
    """The files that are not there now, or on a disk that does not answer."""
    wanted = set(paths)
    return wanted - {path for path, there in asked(wanted, _is_there, patience_s).items() if there}


def is_gone(folder: Path, patience_s: float = PATIENCE_S) -> bool:
    """Whether a folder is missing, holds nothing at all (an unused mount point), or hangs."""
    return address_of(folder) is None and is_empty(folder, patience_s) is not False


def is_empty(folder: Path, patience_s: float = PATIENCE_S) -> bool | None:
    """Whether a folder is missing or holds nothing; None if the system cannot say."""
    return answered(lambda: _holds_nothing(folder), None, patience_s)


def asked(
    paths: Iterable[Path], ask: Callable[[Path], T], patience_s: float = PATIENCE_S
) -> dict[Path, T]:
    """What a call to the file system returns for each file, of those that get an answer.

    One thread asks for each disk, so that one that hangs keeps no other from answering.
    """
    answers: dict[Path, T] = {}
    asking = [_Asking(files, ask, answers) for files in _by_disk(list(paths))]
    while any(each.is_waiting(patience_s) for each in asking):
        time.sleep(0.002)
    return answers.copy()


class _Asking:
    """A thread that asks about files on one disk."""

    def __init__(self, files: list[Path], ask: Callable[[Path], T], answers: dict[Path, T]) -> None:
        self._asked_at = time.monotonic()
        self._thread = threading.Thread(
            target=self._run, args=(files, ask, answers), name="gdr-presence", daemon=True
        )
        self._thread.start()

    def is_waiting(self, patience_s: float) -> bool:
        """Whether it is still worth waiting for."""
        return self._thread.is_alive() and time.monotonic() - self._asked_at < patience_s

    def _run(self, files: list[Path], ask: Callable[[Path], T], answers: dict[Path, T]) -> None:
        for path in files:
            self._asked_at = time.monotonic()
            try:
                answers[path] = ask(path)
            except (OSError, ValueError):
                continue


def _by_disk(paths: list[Path]) -> list[list[Path]]:
    """The files in at most `_MOST_THREADS` groups, such that few disks share one."""
    groups = _grouped(paths, lambda path: path.parts[:_MOUNT_PARTS])
    if len(groups) > _MOST_THREADS and (mounts := _mounts()):
        groups = _grouped(paths, lambda path: mounts & {path, *path.parents})
    merged: list[list[Path]] = [[] for _ in range(min(len(groups), _MOST_THREADS))]
    for number, group in enumerate(groups):
        merged[number % _MOST_THREADS] += group
    return merged


def _grouped(paths: list[Path], group: Callable[[Path], Hashable]) -> list[list[Path]]:
    groups: dict[Hashable, list[Path]] = defaultdict(list)
    for path in paths:
        groups[group(path)].append(path)
    return list(groups.values())


def _mounts() -> frozenset[Path]:
    """Where disks are mounted; nothing where the system has no such list."""
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return frozenset()
    names = (line.split(b" ")[1] for line in lines if line.count(b" ") >= 2)
    # Blanks are written as \040.
    plain = (re.sub(rb"\\([0-3][0-7]{2})", lambda octal: bytes([int(octal[1], 8)]), name)
             for name in names)  # fmt: skip
    return frozenset(Path(os.fsdecode(name)) for name in plain)


def _is_there(path: Path) -> bool:
    if address_of(path) is None:  # what is at an address is fetched when it is needed
        os.stat(path)
    return True


def _holds_nothing(folder: Path) -> bool | None:
    try:
        with os.scandir(folder) as listing:
            return next(listing, None) is None
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return None
