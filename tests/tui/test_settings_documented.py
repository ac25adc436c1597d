"""docs/settings.md says what is true: every field, every key, every default, and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

from gdr_tui.app import keymap, keys, settings
from gdr_tui.app.settings import Settings

TEXT = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
FIELDS, KEYS = TEXT.split("## Keys")


def rows(text: str) -> list[list[str]]:
    """Cells of every row of its tables, but for heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_field_is_there_with_its_default() -> None:
    documented = {row[0].strip("` "): row[2].strip("`") for row in rows(FIELDS)}
    shipped = Settings()
    actual = {}
    for one in fields(Settings):
        value = getattr(shipped, one.name)
        plain = dict(value) if one.name == "keys" else value
        actual[one.name] = json.dumps(list(plain) if isinstance(plain, tuple) else plain)
    assert documented == actual


def test_every_key_is_there_as_it_is_bound() -> None:
    groups = {**keys.GROUPS, **keys.LOCAL}
    documented = [[cell.strip("` ") for cell in row] for row in rows(KEYS)]
    actual = [[b.id, b.key, b.tooltip] for bindings in groups.values() for b in bindings]
    assert documented == actual


def test_the_example_is_read_without_a_complaint(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    file = tmp_path / "settings.toml"
    file.write_text(example, encoding="utf-8")
    chosen, problem = settings.load(file)
    assert not problem
    assert keymap.remapped(chosen.keys) == keymap.Keymap(chosen.keys, "")
    assert chosen != Settings()
