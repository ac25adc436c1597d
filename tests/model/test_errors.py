"""Errors carry facts and a hint; no sentence of the library names a command, an option or a key."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gdr_model
from gdr_model import errors
from gdr_model.errors import Cancelled, GdrError, Hint, LibraryError, UsageError

SOURCES = sorted(Path(gdr_model.__file__).parent.rglob("*.py"))
COMMANDS = "bench|crate|doctor|edit|eval|extract|index|replay|search|status|train|tui|why"
OF_A_FACE = re.compile(
    rf"""(?<![\w-])--[a-z]                      # an option
       | (?<![\w-])-[a-zA-Z](?![\w-])           # a short one
       | \bgdr\ (?:{COMMANDS}|model\ (?:list|show|pull|convert|check))\b
       | \bpress\ \S{{1,6}}\b                   # a key
       | training/configs | recipes/            # the checkout
    """,
    re.VERBOSE,
)


def test_an_error_that_says_nothing_is_named_by_its_kind() -> None:
    assert errors.first_line(ValueError("  one\ntwo")) == "one"
    assert errors.first_line(ValueError("")) == "ValueError"


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """The texts in a module that are no docstrings, with their lines."""
    tree = ast.parse(source)
    # Of modules, classes and functions, and below constants and fields.
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in documentation:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_sentence_of_the_library_names_a_command_an_option_or_a_key(path: Path) -> None:
    named = [
        (line, text)
        for line, text in sentences(path.read_text(encoding="utf-8"))
        # A single word is an argument of another program.
        if " " in text and OF_A_FACE.search(text)
    ]
    assert not named


@pytest.mark.parametrize(
    "text",
    [
        "-k 0 asks for no results",
        "use --method gdr",
        "yet; run gdr index /music",
        "run gdr model pull clap",
        "press o and type a folder",
        "gdr train training/configs/base.yaml",
    ],
)
def test_the_test_above_sees_what_it_looks_for(text: str) -> None:
    assert OF_A_FACE.search(text)
    assert list(sentences(f'"""gdr search"""\nraise X({text!r})')) == [(2, text)]


@pytest.mark.parametrize("text", ["a gdr model", "long-term", "v-prediction", "1 - cosine", "-1"])
def test_ordinary_words_are_let_through(text: str) -> None:
    assert not OF_A_FACE.search(text)


def test_an_error_carries_what_its_hint_needs() -> None:
    error = LibraryError("no library yet", Hint.INDEX, root=Path("/a b"))
    assert (str(error), error.hint, error.facts) == ("no library yet", Hint.INDEX, {"root": "/a b"})
    assert error.exit_code == 1
    plain = UsageError("the prompt is empty")
    assert (plain.hint, plain.facts, plain.exit_code) == (None, {}, 2)
    assert Cancelled("stopped").exit_code == 130


@pytest.mark.parametrize(
    ("hint", "facts"),
    [(Hint.INDEX, {}), (Hint.INDEX, {"rot": 1}), (Hint.LIST_CRATES, {"a": 1}), (None, {"a": 1})],
)
def test_facts_that_do_not_fit_the_hint_are_a_mistake_of_the_programmer(
    hint: Hint | None, facts: dict[str, object]
) -> None:
    with pytest.raises(TypeError):
        GdrError("sentence", hint, **facts)


def test_an_error_survives_its_way_between_processes() -> None:
    error = LibraryError("no library yet", Hint.INDEX, root="/music")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 (made one line above)
    assert (str(again), again.hint, again.facts) == (str(error), error.hint, error.facts)


def test_every_error_is_in_the_tree_of_the_module_docstring() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert errors.__doc__ is not None
    for kind in kinds:
        if issubclass(kind, GdrError):
            assert kind.__name__ in errors.__doc__
