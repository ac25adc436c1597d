"""Text from files, made safe to show.

File names and tags can contain anything: line breaks, terminal escapes, marks that change the
reading direction, broken UTF-8. `literal` keeps every letter and replaces whatever would act on
the terminal with something visible.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_JOINERS = "\u200c\u200d"
"""Needed inside words (Persian, Indic scripts) and emoji; they affect nothing else."""


def _visible(character: str) -> str:
    """A form of one character that is safe to show."""
    category = unicodedata.category(character)
    if category == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    if category in ("Cc", "Zl", "Zp") or (category == "Cf" and character not in _JOINERS):
        code = ord(character)
        wide = f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
        return _NAMED.get(character, f"\\x{code:02x}" if code <= 0xFF else wide)
    return character


@lru_cache(maxsize=8192)
def literal(text: str) -> str:
    """`text` with control characters, direction marks and lone surrogates made visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, text))


def fit(text: str, cells: int) -> str:
    """Pad `text`, already literal, to exactly `cells` columns, or cut it with an ellipsis."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return set_cell_size(text, cells)
    return set_cell_size(set_cell_size(text, cells - 1).rstrip() + "…", cells)


def clock(seconds: float) -> str:
    """Seconds as m:ss, or as h:mm:ss from one hour on."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours}:{minutes:02}:{whole % 60:02}"
    return f"{minutes}:{whole % 60:02}"


def length(seconds: float) -> str:
    """The length of many tracks: hours, or minutes or seconds where it is below one."""
    if seconds >= 3600:
        return f"{seconds / 3600:,.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"


def counted(count: int, noun: str) -> str:
    """`1 track`, `12 tracks`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
