"""`make builtin-report`: refused before it installs anything, and made of steps that exist."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", "-C", str(ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_folder_without_the_teacher_is_refused_in_one_sentence(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    refused = make("builtin-report", f"GDR_SHARED={tmp_path}", f"VENV={venv}")
    assert refused.returncode != 0
    assert refused.stderr.startswith("builtin-report needs GDR_SHARED=DIR")
    assert not venv.exists()


def test_its_steps_run_in_the_order_in_which_they_need_each_other(tmp_path: Path) -> None:
    shown = make("--dry-run", "builtin-report", f"GDR_SHARED={tmp_path}", f"WORK={tmp_path}")
    assert shown.returncode == 0, shown.stderr
    steps = re.findall(r"-m (recipes\.builtin\S+) --work", shown.stdout)
    names = [name.removeprefix("recipes.builtin.") for name in steps]
    assert names == ["corpus.sources", "corpus.prepare", "report.sets", "report.evaluate"]
    assert all(callable(importlib.import_module(name).main) for name in steps)
    assert shown.stdout.index("model pull musicnn") < shown.stdout.index("corpus.prepare")
