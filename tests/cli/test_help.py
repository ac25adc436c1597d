"""`--help` of every command: fits 80 columns, documents everything, and changes on purpose only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from gdr_tui.cli.main import app

GOLDEN = Path(__file__).with_name("golden") / "help.txt"
HOUSE_IDIOM = re.compile(
    r"\b(anew|beside|told|tells|heard|hears|sitting|no more|for good|by itself|of one's own|"
    r"reading of|what it should be|is asked|was asked|throw away|take away)\b",
    re.IGNORECASE,
)
"""Words that earlier texts used for something else than an English reader expects."""


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple, Any]]:
    """Every command with the words that call it, groups included."""
    command = command or get_command(app)
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


PATHS = [path for path, _ in commands()]
BY_PATH = dict(commands())


def shown(path: tuple[str, ...], width: int = 80) -> str:
    """What `gdr … --help` prints."""
    environment = {"COLUMNS": str(width), "TERM": "dumb", "NO_COLOR": "1"}
    done = CliRunner().invoke(app, [*path, "--help"], env=environment)
    assert (done.exit_code, done.stderr) == (0, ""), path
    return done.stdout


def texts(path: tuple[str, ...]) -> list[str]:
    """Every sentence of a command's help."""
    command = BY_PATH[path]
    return [command.help or "", *(param.help or "" for param in command.params)]


def parameter(param: Any) -> str:
    """A line of the golden file: how a parameter is written, its default and its help."""
    names = "/".join([*param.opts, *param.secondary_opts])
    default = param.default.value if isinstance(param.default, Enum) else param.default
    ending = "" if default in (None, False, (), "") or callable(default) else f" ({default})"
    return f"  {names} {param.metavar or ''}".rstrip() + f"{ending}: {param.help}\n"


def golden() -> str:
    """The help of all commands, without typer's layout."""
    text = ""
    for path in PATHS:
        command = BY_PATH[path]
        text += f"{' '.join(('gdr', *path))}: {' '.join((command.help or '').split())}\n"
        text += "".join(parameter(p) for p in command.params if "completion" not in p.name)
    return text


def test_the_commands_are_those_of_the_documentation() -> None:
    top = {path[0] for path in PATHS if path}
    assert top == {
        "tui", "index", "search", "edit", "replay", "why", "status", "doctor", "bench",
        "crate", "model", "extract", "train", "eval", "forget", "move", "duplicates",
    }  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_fits_a_terminal_of_80_columns(path: tuple[str, ...]) -> None:
    assert max(map(len, shown(path).splitlines())) <= 80


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_shows_no_markup(path: tuple[str, ...]) -> None:
    text = shown(path)
    for odd in ("[[", "]]", "......", "`", "**", "[/", "Annotated", "None"):
        assert odd not in text, odd


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_everything_has_a_sentence(path: tuple[str, ...]) -> None:
    for text in texts(path):
        assert text[:1].isupper() or text.startswith((".", "gdr", "clap", "mule", "contrastive"))
        assert text.rstrip().endswith(".")
        assert not HOUSE_IDIOM.search(text), text


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_no_command_takes_two_options_of_one_name(path: tuple[str, ...]) -> None:
    names = [name for param in BY_PATH[path].params for name in param.opts]
    assert len(names) == len(set(names))


def test_the_overview_names_each_command_in_one_sentence() -> None:
    text = " ".join(re.sub("[│╭╰─╮╯]", " ", shown((), 200)).split())
    for path in PATHS:
        if len(path) == 1:
            first = (BY_PATH[path].help or "").partition("\n\n")[0]
            assert " ".join(first.split()) in text


def test_the_help_of_every_command_is_as_it_was() -> None:
    """`GDR_GOLDEN=write` writes the file again after a change that was meant."""
    if os.environ.get("GDR_GOLDEN") == "write":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(golden(), encoding="utf-8")
    assert golden() == GOLDEN.read_text(encoding="utf-8")
