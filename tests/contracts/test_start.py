"""Promises about what is imported when, kept in a fresh interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "transformers", "hnswlib", "av", "soundfile", "sounddevice"}


def modules_after(code: str, tmp_path: Path) -> set[str]:
    """Names of the modules that are loaded once `code` has run."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "GDR_HOME": str(tmp_path)},
    )
    return set(done.stderr.split())


HELP = """
from gdr_tui.cli.main import main
try:
    main(['--help'])
except SystemExit as end:
    assert end.code == 0, end.code
"""


def test_help_loads_no_torch_and_no_textual(tmp_path: Path) -> None:
    loaded = modules_after(HELP, tmp_path)
    assert "gdr_tui.cli.main" in loaded
    assert not loaded & (HEAVY | {"textual"})


def test_the_app_starts_without_torch(tmp_path: Path) -> None:
    assert not modules_after("import gdr_tui.app.app", tmp_path) & HEAVY


@pytest.mark.parametrize(
    "name",
    [
        "types",
        "errors",
        "paths",
        "audio",
        "search.whitening",
        "search.index",
        "store.library",
        "store.filters",
        "store.ingest",
    ],
)
def test_torch_stays_where_the_networks_are(name: str, tmp_path: Path) -> None:
    assert "torch" not in modules_after(f"import gdr_model.{name}", tmp_path)


def test_nothing_is_written_at_import(tmp_path: Path) -> None:
    modules_after("import gdr_tui.app.app, gdr_tui.cli.main, gdr_model.search.retriever", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_search_loads_no_diffusers_unless_one_of_its_samplers_draws(tmp_path: Path) -> None:
    code = """
from gdr_model import load
from gdr_model.search.drawing import Drawer
from gdr_model.steering import Steering
steering = Steering('warm piano', draws=1, steps=2, sampler='SAMPLER')
Drawer(load('builtin', 'cpu'), None).query(steering)
"""
    assert "diffusers" not in modules_after(code.replace("SAMPLER", "dpm++"), tmp_path)
    assert "diffusers" in modules_after(code.replace("SAMPLER", "unipc"), tmp_path)


def test_loading_the_model_loads_no_compiler_and_no_transformers(tmp_path: Path) -> None:
    """torch imports its compiler for some operations on the meta device, which takes a second."""
    loaded = modules_after(
        "from gdr_model.models.checkpoint import load; load('builtin')", tmp_path
    )
    assert "torch" in loaded
    assert not loaded & {"torch._dynamo", "sympy", "transformers"}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system lists no threads")
@pytest.mark.parametrize("chosen", [None, "2"])
def test_numpy_has_no_threads_unless_they_are_asked_for(chosen: str | None) -> None:
    code = "import gdr_tui, numpy, os; print(len(os.listdir('/proc/self/task')))"
    environment = {name: x for name, x in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment |= {"OPENBLAS_NUM_THREADS": chosen} if chosen else {}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert int(done.stdout) == min(int(chosen or 1), os.cpu_count() or 1)
