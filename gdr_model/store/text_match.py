"""How filters compare the text of tags and names, which comes in many spellings.

`é` may be one character or two (macOS writes names in the second form, most taggers tags in the
first), genres are separated in half a dozen ways, and nobody types accents when searching.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_SEPARATORS = {
    "genre": re.compile(r"[;/,\0]"),
    "artist": re.compile(r"[;\0]"),  # AC/DC, and "Earth, Wind & Fire", are one name
    "albumartist": re.compile(r"[;\0]"),
}
_ACCENTS = re.compile("[\u0300-\u036f]")
"""The combining marks of Latin, Greek and Cyrillic; those of other scripts make other letters."""
_STROKES = str.maketrans("øłđħŧı", "oldhti")
"""Letters that Unicode does not take apart."""


def folded(text: str) -> str:
    """Text in the form in which equal text is equal: composed (NFC), without case."""
    if text.isascii():
        return text.lower()
    composed = unicodedata.normalize("NFC", text).casefold()
    return unicodedata.normalize("NFC", composed)


def plain(text: str) -> str:
    """Folded text without accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFD", folded(text).translate(_STROKES))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


def values(field: str, text: str) -> list[str]:
    """The values in a tag: several for a genre such as `Rock/Pop`, one for most fields."""
    separators = _SEPARATORS.get(field)
    parts = separators.split(text) if separators else [text]
    return [part for part in map(str.strip, parts) if part]


def counted(field: str, tags: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Every value in some tags (text and its number of tracks), most frequent first.

    Values that are equal when folded are one, spelled as in the first of these tags.
    """
    spelled: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for text, count in tags:
        for form, value in {folded(value): value for value in values(field, text)}.items():
            spelled.setdefault(form, unicodedata.normalize("NFC", value))
            counts[form] += count
    return sorted(
        ((spelled[form], count) for form, count in counts.items()), key=lambda one: (-one[1], one)
    )
