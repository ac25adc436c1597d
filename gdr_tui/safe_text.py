"""Text that comes from files, made safe to show.

File names and tags may hold anything: line breaks, terminal escapes, marks that turn the
reading direction, halves of broken UTF-8. `literal` keeps every letter and replaces what would
act on the terminal by something that can be seen.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_JOINERS = "\u200c\u200d"
"""Needed inside words (Persian, Indic scripts) and emoji; they act on nothing else."""


def _visible(character: str) -> str:
    """One character as it may be shown."""
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
    """`text`, already literal, padded or cut with an ellipsis to exactly `cells` columns."""
    if cells <= 0:
        return ""
    if cell_len(text) <= cells:
        return set_cell_size(text, cells)
    return set_cell_size(set_cell_size(text, cells - 1).rstrip() + "…", cells)


def clock(seconds: float) -> str:
    """Seconds as m:ss, or h:mm:ss from an hour on."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours}:{minutes:02}:{whole % 60:02}"
    return f"{minutes}:{whole % 60:02}"
