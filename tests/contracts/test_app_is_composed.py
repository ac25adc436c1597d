"""The app is composed: one class on the main screen, a folder a feature, nothing inherited."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from textual.actions import parse
from textual.screen import Screen

import gdr_tui.app
from gdr_tui.app import keys
from gdr_tui.app.app import GdrApp
from gdr_tui.app.main.screen import MainScreen
from gdr_tui.app.main.session import Session
from gdr_tui.app.notebook import NotebookThread
from gdr_tui.app.settings import Settings
from gdr_tui.app.tasks import Tasks

APP = Path(inspect.getfile(gdr_tui.app)).parent
FEATURES = ["crates", "edit", "explain", "library", "map", "playback", "search", "trail"]
SHARED = "gdr_tui.app.trail.trail"
"""What is asked and answered, which every feature speaks of."""
STATES = [
    "crates/state.py", "edit/state.py", "explain/state.py", "library/state.py", "map/state.py",
    "playback/playback.py", "search/draft.py", "trail/trail.py",
]  # fmt: skip


@pytest.fixture
def screen(tmp_path: Path) -> MainScreen:
    from gdr_tui.app.background import Background

    tasks = Tasks(Background(), print)
    return MainScreen(Session([tmp_path]), tasks, NotebookThread(print), Settings())


def imports(file: Path) -> set[str]:
    """Modules that a file imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_the_main_screen_is_one_class_of_ours() -> None:
    ours = [cls for cls in MainScreen.__mro__ if cls.__module__.startswith("gdr_tui")]
    assert ours == [MainScreen]
    assert MainScreen.__bases__ == (Screen,)


def test_every_feature_shows_and_takes_and_inherits_nothing(screen: MainScreen) -> None:
    assert sorted(screen.features) == FEATURES
    for name, feature in screen.features.items():
        assert type(feature).__module__ == f"gdr_tui.app.{name}.feature"
        assert type(feature).__bases__ == (object,)
        assert list(inspect.signature(feature.show).parameters) == ["node", "keep"]
        assert list(inspect.signature(feature.take).parameters) == ["message"]
        assert hasattr(feature, "state")


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_imports_no_other_and_not_the_main_screen(name: str) -> None:
    others = [f"gdr_tui.app.{other}" for other in (*FEATURES, "main") if other != name]
    for file in (APP / name).glob("*.py"):
        foreign = {
            module
            for module in imports(file)
            if any(module == other or module.startswith(f"{other}.") for other in others)
            and not module.startswith(SHARED)
        }
        assert not foreign, f"{file.name} imports {foreign}"


@pytest.mark.parametrize("file", STATES)
def test_states_are_free_of_textual(file: str) -> None:
    assert not any(module.split(".")[0] == "textual" for module in imports(APP / file))


def test_every_key_of_the_main_screen_calls_something_that_is_there(screen: MainScreen) -> None:
    for binding in (*keys.ALL, *keys.AT_ONCE, *keys.IN_TRAIL):
        namespace, action, arguments = parse(binding.action)
        owner: object = GdrApp if namespace == "app" else screen
        assert callable(getattr(owner, f"action_{action}")), binding.id
        if action in ("feature", "at_once"):
            name, action, *_ = arguments
            assert callable(getattr(screen.features[name], f"action_{action}")), binding.id


def test_folders_and_modules_stay_small() -> None:
    for folder in (APP, *(path for path in APP.iterdir() if path.is_dir())):
        modules = [file for file in folder.glob("*.py") if file.name != "__init__.py"]
        assert len(modules) <= 15, folder
        for file in modules:
            assert len(file.read_text(encoding="utf-8").splitlines()) <= 400, file
