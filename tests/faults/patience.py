"""Wait for a program as long as it gets on, however little of the machine it is given."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil

LIMIT_S = 300.0
"""Seconds that a program can take on a machine of its own."""
_LOOK_S = 0.5


def run(command: list[str], limit_s: float = LIMIT_S, **options: Any) -> Any:
    """Run a program to its end, as `subprocess.run` does; its output is text."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes | options) as process:
        output, error = finished(process, limit_s)
    return subprocess.CompletedProcess(command, process.returncode, output, error)


def finished(process: subprocess.Popen[str], limit_s: float = LIMIT_S) -> tuple[str, str]:
    """What a program wrote to stdout and stderr until its end.

    Raises:
        TimeoutError: if it takes longer than it should; it is killed then, with what it started.
    """
    clock = _OwnTime(process.pid)
    while True:
        try:
            return process.communicate(timeout=_LOOK_S)
        except subprocess.TimeoutExpired:
            if clock.passed_s() <= limit_s:
                continue
        for each in _with_children(process.pid):
            with contextlib.suppress(psutil.Error):
                each.kill()
        output = process.communicate()
        raise TimeoutError(f"{process.args} took more than {limit_s:.0f} s: {output}")


class _OwnTime:
    """Seconds that a program and what it started would have taken without others.

    Linux says how long threads ran and how long they waited for a processor. Of the time that
    passes, the share counts that they ran of what they wanted to; all of it if they wanted nothing.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._own_s = 0.0
        self._looked_s = time.monotonic()
        self._before: dict[str, tuple[int, int]] = {}

    def passed_s(self) -> float:
        """Seconds until now."""
        now, threads = time.monotonic(), _threads(self._pid)
        ran = waited = 0
        for name, (run_ns, wait_ns) in threads.items():
            before = self._before.get(name, (0, 0))
            ran, waited = ran + run_ns - before[0], waited + wait_ns - before[1]
        share = ran / (ran + waited) if waited > 0 else 1.0
        self._own_s += (now - self._looked_s) * share
        self._looked_s, self._before = now, threads
        return self._own_s


def _with_children(pid: int) -> list[psutil.Process]:
    try:
        this = psutil.Process(pid)
        return [this, *this.children(recursive=True)]
    except psutil.Error:
        return []


def _threads(pid: int) -> dict[str, tuple[int, int]]:
    """Nanoseconds that each thread ran and waited; none where nobody knows."""
    found = {}
    for process in _with_children(pid):
        for file in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError, ValueError):
                ran, waited, _ = map(int, file.read_text().split())
                found[str(file)] = ran, waited
    return found
