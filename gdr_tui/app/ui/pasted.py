"""What is pasted into one line, and files that are dropped on the terminal, which pastes them."""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from contextlib import suppress
from urllib.parse import unquote, urlsplit

_BREAK = r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]"
_BREAKS = re.compile(rf"[ \t]*(?:{_BREAK}[ \t]*)+")


def one_line(text: str) -> str:
    """Lines joined by blanks; whatever else acts on a terminal becomes a blank, too."""
    text = re.sub(rf"^{_BREAK}+|{_BREAK}+$", "", text)
    joined = _BREAKS.sub(" ", text)
    return "".join(" " if unicodedata.category(char) == "Cc" else char for char in joined)


def dropped(text: str) -> list[str]:
    """The paths in a paste that is nothing but paths, as files dropped on a terminal are.

    Terminals write them as they are, in a shell's quotes, with backslashes, or as file URLs; each
    must be absolute and exist.
    """
    text = text.strip()
    found = _existing(text)
    if found:
        return [found]
    with suppress(ValueError):  # a quote without its other half
        paths = [_existing(word) for word in shlex.split(text)]
        if all(paths):
            return paths
    return []


def _existing(word: str) -> str:
    """The absolute path that a word is, if it exists; else nothing."""
    if word.startswith("file://"):
        word = unquote(urlsplit(word).path)
    with suppress(ValueError, OSError):  # NUL; a folder that must not be searched
        if os.path.isabs(word) and os.path.lexists(word):
            return os.path.normpath(word)
    return ""
