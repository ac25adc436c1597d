"""`gdr index` that is ended, however: nothing is left running, and the library is sound."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from typer.testing import Result

from gdr_model.store.library import Library

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
DEMO = Path(__file__).parents[2] / "demo"
COMMAND = [sys.executable, "-m", "gdr_tui.cli", "index"]


@pytest.fixture
def folder(music: Path) -> Path:
    """A track, and hours that take a while to decode."""
    shutil.copy(sorted(DEMO.rglob("*.ogg"))[0], music / "a.ogg")
    for name in "bc":
        with soundfile.SoundFile(music / f"{name}.wav", "w", 8000, 1, "PCM_U8") as file:
            for _ in range(240):
                file.write(np.zeros(8000 * 60, np.int16))
    return music


def started(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    """A run that has stored the track, and its processes."""
    run = subprocess.Popen(
        [*COMMAND, str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    begun = time.monotonic()
    while time.monotonic() - begun < 120:
        if run.poll() is None and tracks(folder) == 1:
            return run, psutil.Process(run.pid).children(recursive=True)
        time.sleep(0.1)
    raise AssertionError("nothing was indexed")


def tracks(folder: Path) -> int:
    try:
        with Library.open(folder) as library:
            return library.count()
    except Exception:
        return 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("whole", [False, True], ids=["alone", "with its group"])
def test_nothing_stays_behind(folder: Path, number: int, whole: bool) -> None:
    run, others = started(folder, "--jobs", "2")
    assert len(others) >= 2
    (os.killpg if whole else os.kill)(run.pid, number)
    run.communicate(timeout=30)
    assert run.returncode in (-number, 128 + number)
    _, left = psutil.wait_procs(others, timeout=10)
    assert not left
    with Library.open(folder) as library:
        assert library.count() == 1
        assert not library.is_being_indexed()
        space = library.spaces()[0]
        assert len(library.passages(space).ids)
        assert len(library.latents(library.tracks()[0].content, space))


def test_hostile_files_cost_themselves(gdr, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    shared = os.environ.get("GDR_SHARED")
    if not shared:
        pytest.skip("GDR_SHARED is unset: the hostile files are not here")
    folder = tmp_path / "hostile"
    shutil.copytree(Path(shared) / "cases" / "hostile", folder)
    shutil.copy(sorted(DEMO.rglob("*.ogg"))[0], folder / "z.ogg")
    begun = time.monotonic()
    result: Result = gdr("index", folder, "--jobs", "2")
    assert time.monotonic() - begun < 60
    assert result.exit_code == 0
    audible = {path.name for path in folder.iterdir() if path.suffix != ".txt"}
    failed = set(re.findall(r"^failed: .*/(.*?): \S.*$", result.stdout, re.MULTILINE))
    with Library.open(folder) as library:
        indexed = {track.path.name for track in library.tracks()}
    assert "z.ogg" in indexed
    assert failed | indexed == audible
    assert "silence_5h54_unknown_length.flac: it unpacks 0.5 MB" in result.stdout
    assert "skipped" not in gdr("index", folder).stderr
