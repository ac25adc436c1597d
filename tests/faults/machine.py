"""How the tests of faults run `gdr`: as a process, on disks of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from patience import run
from sounds import tone, write_sound

PROGRAM = [sys.executable, "-c", "from gdr_tui.cli.main import main; main()"]
SHARE = float(os.environ.get("GDR_FAULTS", "0"))
"""How much of every test runs: 1 is all of it (`make test-fault`), 0 is the short form."""


def scaled(full: int, short: int) -> int:
    """How often to try something."""
    return max(short, round(full * SHARE)) if SHARE else short


def gdr(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return run([*PROGRAM, *map(str, words)], **options)


def said(done: subprocess.CompletedProcess[str], code: int) -> str:
    """What a command said on stderr; it ended with this code and no traceback."""
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stderr


def write_music(folder: Path, count: int, seconds: float = 2) -> list[Path]:
    """Sounds of different pitch."""
    files = [folder / f"{number:04}.ogg" for number in range(count)]
    for number, file in enumerate(files):
        write_sound(file, tone(150 + 7 * number, seconds, 16000), 16000)
    return files


@cache
def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def on_own_mounts(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a shell script that can mount; `$GDR` is the program, `$1` the first word.

    The mounts are gone when it ends.
    """
    if not _can_mount():
        pytest.skip("this system lets nobody mount in a namespace of their own (unshare -rm)")
    setting = f'gdr() {{ "{PROGRAM[0]}" -c "{PROGRAM[2]}" "$@"; echo "exit $?"; }}\n'
    command = ["unshare", "-rm", "sh", "-uc", setting + script, "sh", *map(str, words)]
    return run(command)


def exits(done: subprocess.CompletedProcess[str]) -> list[int]:
    """The exit codes of the commands of a script; none of them had a traceback."""
    assert "Traceback" not in done.stderr, done.stderr
    lines = done.stdout.splitlines()
    return [int(line.removeprefix("exit ")) for line in lines if line.startswith("exit ")]
