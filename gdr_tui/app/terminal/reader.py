"""What a terminal sends, as Textual's events."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Iterator

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.events import Key, Paste
from textual.message import Message

_ESC = "\x1b"
_BEGUN = re.compile(r"\x1b(?:\[(?:2(?:0[01]?)?)?)?\Z")
"""Esc, or the beginning of a mark of pasted text: what follows decides."""
_PASTE = re.compile(f"({re.escape(BRACKETED_PASTE_START)}|{re.escape(BRACKETED_PASTE_END)})")
_PRESSED = re.compile(r"(\x1b)(?=[^\[O])", re.DOTALL)
"""Esc before anything that continues no escape sequence of a terminal."""
_OPTION = {keys[1] for keys in ANSI_SEQUENCES_KEYS if len(keys) == 2 and keys[0] == _ESC}
"""Keys that iTerm sends with Esc in front: words left and right, and special letters."""


class Reader:
    """Decodes and parses what is read from a terminal.

    Textual's parser takes Esc and a key that follows at once for alt and that key. tmux and SSH
    often deliver the two together, and the app has no alt keys, so here they are two keys. It also
    loses text that is pasted with an Esc in it.
    """

    def __init__(self, *, debug: bool = False) -> None:
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._parser = XTermParser(debug)
        self._begun = ""
        self._pasted: list[str] | None = None

    def read(self, raw: bytes) -> Iterator[Message]:
        """Events of what came, but for an unfinished end."""
        text = self._begun + self._decoder.decode(raw)
        begun = _BEGUN.search(text)
        self._begun = begun[0] if begun else ""
        text = text[: begun.start()] if begun else text
        for piece in _PASTE.split(text):
            if piece == BRACKETED_PASTE_START:
                self._pasted = []
            elif piece == BRACKETED_PASTE_END:
                if self._pasted is not None:
                    yield Paste("".join(self._pasted))
                self._pasted = None
            elif self._pasted is not None:
                self._pasted.append(piece)
            else:
                yield from self._keys(piece)

    def wait(self) -> Iterator[Message]:
        """Events once nothing has come for a while: outside pasted text, the end is finished."""
        if self._pasted is not None:
            return
        begun, self._begun = self._begun, ""
        if begun == _ESC:
            yield Key("escape", _ESC)
        else:
            yield from self._parse(begun)
        yield from self._parser.tick()

    def _keys(self, text: str) -> Iterator[Message]:
        """Events of what was pressed; Esc is a key of its own."""
        pieces = _PRESSED.split(text)
        for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
            if piece != _ESC or following[:1] in _OPTION:
                yield from self._parse(piece)
            else:
                yield Key("escape", _ESC)

    def _parse(self, text: str) -> Iterator[Message]:
        if text:  # the parser takes "" for the end of all input
            yield from self._parser.feed(text)
