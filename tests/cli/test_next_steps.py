"""Every hint of the library is worded for the command line and for the app."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import Result

from gdr_model.errors import GdrError, Hint, LibraryError
from gdr_tui.app import keys
from gdr_tui.app.values import sentence
from gdr_tui.cli.main import app
from gdr_tui.next_steps import COMMANDS, KEYS, for_app, for_command_line, step

Gdr = Callable[..., Result]


def error(hint: Hint) -> GdrError:
    return GdrError("it failed", hint, **dict.fromkeys(hint.facts, "/a b"))


@pytest.mark.parametrize("hint", Hint)
def test_every_hint_has_words_with_its_facts_quoted_for_a_shell(hint: Hint) -> None:
    for worded in (for_command_line(error(hint)), for_app(error(hint))):
        assert worded.startswith("it failed; ")
        assert not worded.endswith((".", ";"))
        assert "{" not in worded
        assert "/a b" not in worded.replace("'/a b'", "")
        assert shlex.split(worded)
    assert for_command_line(error(hint)).endswith(step(hint, **error(hint).facts))


def test_an_error_without_a_hint_is_its_sentence() -> None:
    plain = LibraryError("the disk is full")
    assert for_command_line(plain) == for_app(plain) == sentence(plain) == "the disk is full"


def commands(group: Any, path: str = "gdr") -> Iterator[tuple[str, Any]]:
    """Every command with its full name."""
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")


@pytest.mark.parametrize("template", [*COMMANDS.values(), *KEYS.values()])
def test_the_commands_and_options_exist(template: str) -> None:
    known = dict(commands(get_command(app)))
    for named in re.findall(r"gdr(?: [a-z]+)+", template):
        assert any(named == name or named.startswith(f"{name} ") for name in known), named
    options = {opt for command in known.values() for p in command.params for opt in p.opts}
    assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", template)) <= options


@pytest.mark.parametrize("hint", [hint for hint in KEYS if "press" in KEYS[hint]])
def test_the_keys_exist(hint: Hint) -> None:
    known = {key for binding in keys.ALL for key in binding.key.split(",")}
    known |= {key for scope in keys.LOCAL.values() for b in scope for key in b.key.split(",")}
    pressed = [
        after.rstrip(",")
        for word, after in zip(KEYS[hint].split(), KEYS[hint].split()[1:], strict=False)
        if word in ("press", "then")
    ]
    assert pressed
    assert set(pressed) <= known


def test_names_that_are_not_text_do_not_break_the_app_nor_the_command_line() -> None:
    odd = LibraryError("no library yet", Hint.INDEX, root=os.fsdecode(b"/caf\xe9\x1b[31m"))
    assert sentence(odd).isprintable()
    assert "gdr index" in for_command_line(odd)


def test_a_refusal_of_the_library_ends_with_the_command_to_run(gdr: Gdr, tmp_path: Path) -> None:
    folder = tmp_path / "my music"
    folder.mkdir()
    done = gdr("search", "piano", "--library", folder)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"gdr: no library at {folder} yet; run gdr index '{folder}'\n"
