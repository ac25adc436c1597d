from collections.abc import Iterable

import pytest
from textual import events
from textual.message import Message

from gdr_tui.app.terminal.reader import Reader

PASTED = "\x1b[200~{}\x1b[201~"


def named(messages: Iterable[Message]) -> list[str]:
    """Keys by name, pasted text in quotes."""
    return [
        message.key if isinstance(message, events.Key) else repr(message.text)
        for message in messages
        if isinstance(message, events.Key | events.Paste)
    ]


def read(*pieces: str) -> list[str]:
    """What is read in some pieces at once, and once nothing more comes."""
    reader = Reader()
    keys = [key for piece in pieces for key in named(reader.read(piece.encode()))]
    return keys + named(reader.wait())


@pytest.mark.parametrize("key", ["q", "j", "?", "Q", "é", "/"])
def test_escape_and_a_key_at_once_are_two_keys(key: str) -> None:
    alone = read(key)
    assert read(f"\x1b{key}") == ["escape", *alone]
    assert read("\x1b", key) == ["escape", *alone]
    assert read(f"\x1b{key}{key}\x1b") == ["escape", *alone, *alone, "escape"]


def test_escape_alone_twice_and_before_other_keys() -> None:
    assert read("\x1b") == ["escape"]
    assert read("\x1b\x1b") == ["escape", "escape"]
    assert read("\x1b\r") == ["escape", "enter"]
    assert read("\x1b\x1b[A") == ["escape", "up"]


def test_sequences_stay_whole_wherever_reading_cuts_them() -> None:
    for sequence, key in (("\x1b[A", "up"), ("\x1bOP", "f1"), ("\x1b[1;5C", "ctrl+right")):
        for at in range(len(sequence) + 1):
            assert read(sequence[:at], sequence[at:]) == [key]
    assert read("\x1bb") == ["ctrl+left"], "what iTerm sends for a word to the left"


def test_pasted_text_stays_whole_wherever_reading_cuts_it() -> None:
    text = "warm \x1bq piano\nslow"
    whole = PASTED.format(text) + "x"
    for at in range(len(whole)):
        assert read(whole[:at], whole[at:]) == [repr(text), "x"], at
    reader = Reader()
    slowly = [*reader.read(b"\x1b[200~warm\x1b[20"), *reader.wait(), *reader.read(b"1~")]
    assert named(slowly) == ["'warm'"]


def test_bytes_that_are_no_text_are_replaced() -> None:
    reader = Reader()
    assert named(reader.read(b"caf\xe9!")) == [
        "c",
        "a",
        "f",
        "replacement_character",
        "exclamation_mark",
    ]
    euro = "€".encode()
    assert named(reader.read(euro[:1])) == []
    assert [e.character for e in reader.read(euro[1:]) if isinstance(e, events.Key)] == ["€"]
