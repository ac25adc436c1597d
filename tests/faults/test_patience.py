"""The patience of these tests themselves: with what gets on, not with what hangs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from patience import finished, run

SPIN = "while True: pass"
WORK = """
import time
while time.process_time() < 0.4: pass
print("done")
"""


@contextlib.contextmanager
def busy_cores() -> Iterator[None]:
    """Four programs that want each core."""
    command = [sys.executable, "-c", SPIN]
    others = [subprocess.Popen(command) for _ in range(4 * (os.cpu_count() or 1))]
    try:
        yield
    finally:
        for each in others:
            each.kill()
            each.wait()


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="Linux alone counts that")
def test_a_program_that_hardly_gets_the_processor_is_waited_for() -> None:
    with busy_cores():
        begun = time.monotonic()
        done = run([sys.executable, "-c", WORK], limit_s=1)
        assert done.stdout == "done\n"
        assert time.monotonic() - begun > 1, "it was slow enough to be a test"


@pytest.mark.parametrize("code", ["import time; time.sleep(60)", SPIN])
def test_a_program_that_hangs_is_ended_with_what_it_started(code: str) -> None:
    parent = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {code!r}])\n"
        "print(child.pid, flush=True)\n"
        "child.wait()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    with pytest.raises(TimeoutError, match="more than 1 s"):
        finished(process, limit_s=1)
    assert process.returncode == -9
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
