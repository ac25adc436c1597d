"""Texts of nothing but brackets, on which parsers run out of stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdr_model import decode
from gdr_model.errors import UsageError
from gdr_model.notebook.saved_trails import SavedTrail
from gdr_model.steering import Steering
from gdr_tui.app import settings
from gdr_tui.cli import session_files

DEEP = "[" * 100_000


@pytest.mark.parametrize("text", [DEEP, "[" * 900 + "]" * 900, '{"a":' * 100_000])
def test_brackets_without_end_are_refused_like_any_mistake(text: str) -> None:
    with pytest.raises(UsageError):
        decode.from_json(Steering, text)
    with pytest.raises(UsageError):
        SavedTrail.from_json(text)


def test_nested_settings_leave_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f"steps = {DEEP}")
    chosen, problem = settings.load(file)
    assert chosen == settings.Settings()
    assert problem == (
        "settings.toml cannot be read, so the defaults are used: it is nested too deeply"
    )


def test_a_nested_session_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "session.json"
    file.write_text(DEEP)
    with pytest.raises(UsageError, match="it is nested too deeply"):
        session_files.read(file)
