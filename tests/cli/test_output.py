"""What reaches a terminal, and what reaches a program."""

import sys
from io import BytesIO, TextIOWrapper

import pytest

from gdr_tui import rows
from gdr_tui.cli import output


class Out(TextIOWrapper):
    """A stdout that may be a terminal."""

    terminal = False

    def isatty(self) -> bool:
        return self.terminal


def written(text: str, monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> bytes:
    """The bytes that `output.write` sends to a stdout of either kind."""
    buffer = BytesIO()
    out = Out(buffer, encoding="utf-8")
    out.terminal = terminal
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        output.write(text)
    return buffer.getvalue()


def test_a_program_gets_the_bytes_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written("a\x1b[31m\udcff\n", monkeypatch, terminal=False) == b"a\x1b[31m\xff\n"


def test_a_terminal_gets_nothing_that_acts_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = written("a\x1b[31m\udcff\tb\nc", monkeypatch, terminal=True)
    assert shown.decode() == "a\\x1b[31m\ufffd\tb\nc"


def test_json_keeps_letters_and_escapes_broken_bytes() -> None:
    assert rows.as_json({"a": "é🎵"}) == '{"a": "é🎵"}'
    assert rows.as_json({"a": "\udcff"}) == '{"a": "\\udcff"}'
