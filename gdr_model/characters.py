"""Text decoded, and cut between characters as readers see them, of several code points each.

A letter and its combining marks, an emoji joined of others, a flag, a Hangul syllable of its parts:
none is divided, and neither are the bytes of one code point.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable

_ZWJ = "\u200d"


def decoded(data: bytes) -> str:
    """Text whose encoding nothing says: UTF-8, or else Windows-1252."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def cut(text: str, length: int) -> str:
    """At most `length` code points from the beginning of `text`."""
    return text[: _boundary(text, min(length, len(text)))]


def cut_bytes(name: str, size: int) -> str:
    """The beginning of a file's name that takes at most `size` bytes on disk."""
    end = min(size, len(name))
    while len(os.fsencode(name[:end])) > size:
        end -= 1
    return name[: _boundary(name, end)]


def last(text: str, length: int) -> str:
    """At most `length` code points from the end of `text`."""
    begin = max(0, len(text) - length)
    while begin < len(text) and _continues(text, begin):
        begin += 1
    return text[begin:]


def _boundary(text: str, end: int) -> int:
    """The last place up to `end` that is between two characters; `end` if there is none."""
    at = end
    while 0 < at < len(text) and _continues(text, at):
        at -= 1
    return at or end


def _continues(text: str, at: int) -> bool:
    """Whether the code point at `at` belongs to a character that has begun before it."""
    if not at:
        return False
    code, before = ord(text[at]), text[at - 1]
    if before == _ZWJ or text[at] == _ZWJ or unicodedata.category(text[at])[0] == "M":
        return True
    if _is_flag(code):  # two of these letters are one flag
        return _run(text, at, _is_flag) % 2 == 1
    jamo = 0x1160 <= code <= 0x11FF  # vowels and final consonants
    return jamo or 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F


def _is_flag(code: int) -> bool:
    return 0x1F1E6 <= code <= 0x1F1FF


def _run(text: str, at: int, holds: Callable[[int], bool]) -> int:
    """The number of code points right before `at` for which `holds`."""
    begin = at
    while begin and holds(ord(text[begin - 1])):
        begin -= 1
    return at - begin
