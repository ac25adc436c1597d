"""The `gdr` command, run in this process on the demo library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gdr_tui.cli.main import app

DEMO = Path(__file__).parents[2] / "demo"
Gdr = Callable[..., Result]


@pytest.fixture
def gdr() -> Gdr:
    """`gdr("search", "piano", "-k", 3)`: stdout, stderr and exit code, apart."""
    runner = CliRunner()

    def run(*words: object, stdin: str | None = None) -> Result:
        result = runner.invoke(app, [str(word) for word in words], input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GDR_HOME in which the demo library has been indexed once."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GDR_HOME", str(home))
        result = CliRunner().invoke(app, ["index", str(DEMO)])
    assert result.exit_code == 0, result.output
    return home


@pytest.fixture
def demo(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The indexed demo library's folder; its store is the current one."""
    monkeypatch.setenv("GDR_HOME", str(demo_home))
    return DEMO
