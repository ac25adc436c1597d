"""What the tag readers find, under one name per field whatever the format calls it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mutagen.id3 import TCON

from gdr_model.audio import cue
from gdr_model.audio.tags.values import Tags
from gdr_model.characters import cut
from gdr_model.types import Section

MOST_CHARS = 1000
"""Longer texts are cut."""
MOST_VALUES = 50
MOST_BYTES = 4 * MOST_CHARS + 64
"""What a reader reads of one text: enough for `MOST_CHARS` in any encoding."""
MOST_CUE_BYTES = 1 << 18
"""The same of a cue sheet."""

_NAMES = {
    "title": "title name inam tit2 tt2",
    "artist": "artist author iart tpe1 tp1",
    "album": "album albumtitle iprd talb tal wmalbumtitle",
    "genre": "genre ignr tcon tco wmgenre",
    "date": "date year icrd tdrc tyer tye wmyear",
    "albumartist": "albumartist ensemble tpe2 tp2 wmalbumartist",
    "bpm": "bpm tempo tmpo tbpm tbp beatsperminute wmbeatsperminute",
    "originaldate": (
        "originalyear originaldate origyear originalreleasedate originalreleaseyear tdor tory tor "
        "originalreleasetime wmoriginalreleaseyear wmoriginalreleasetime"
    ),
    "key": "key initialkey tkey tke wminitialkey",
    "comment": "comment comments description icmt",
    "cuesheet": "cuesheet",
}
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names.split()}
_SEPARATORS = re.compile(r"[\s_\-/.]+")
_YEAR = re.compile(r"\d{4}")
_NUMBER = re.compile(r"\d{1,4}(?:[.,]\d{1,6})?")


def most_bytes(field: str | None) -> int:
    """What a reader reads of a field."""
    return MOST_CUE_BYTES if field == "cuesheet" else MOST_BYTES


def field_of(name: str) -> str | None:
    """The field that a format's own name means, such as `WM/AlbumArtist` or `ORIGINAL YEAR`."""
    return _FIELD_OF.get(_SEPARATORS.sub("", name[:64]).lower())


@dataclass
class Found:
    """What one or more readers found in a file."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    codec: str = ""

    def add(self, name: str | None, *values: str) -> None:
        """Add values to a field; a list in one text is separated by NULs."""
        if name is None:
            return
        kept = self.texts.setdefault(name, [])
        for value in values:
            for part in value[: MOST_VALUES * MOST_CHARS].split("\0", MOST_VALUES)[:MOST_VALUES]:
                text = part.strip()
                if text and text not in kept and len(kept) < MOST_VALUES:
                    kept.append(text)

    def fill(self, other: Found) -> None:
        """Take over the fields that are empty here."""
        for name, values in other.texts.items():
            if not self.texts.get(name):
                self.texts[name] = values
        self.sections = self.sections or other.sections
        self.codec = self.codec or other.codec

    def tags(self) -> Tags:
        """The fields as they are shown and searched."""
        text = {name: joined(values) for name, values in self.texts.items()}
        sheets = cue.parse("".join(self.texts.get("cuesheet", ())[:1]))
        return Tags(
            title=text.get("title", ""),
            artist=text.get("artist", ""),
            album=text.get("album", ""),
            genre=text.get("genre", ""),
            year=_year(text.get("date", "")),
            albumartist=text.get("albumartist", ""),
            bpm=_bpm(text.get("bpm", "")),
            originalyear=_year(text.get("originaldate", "")),
            key=text.get("key", ""),
            comment=text.get("comment", ""),
            codec=self.codec,
            sections=next(iter(sheets.values()), ()) or self.sections,
        )


def joined(values: Iterable[str]) -> str:
    """Join several values to one text; characters that SQLite cannot store are replaced."""
    return cut("; ".join(values).encode("utf-8", "replace").decode(), MOST_CHARS)


def genres(values: list[str]) -> list[str]:
    """Genres by name; ID3 also writes them as numbers, `17` or `(17)`."""
    frame: Any = TCON
    return [str(genre) for genre in frame(encoding=3, text=values).genres]


def _year(text: str) -> int | None:
    found = _YEAR.search(text)
    return int(found[0]) if found and int(found[0]) else None


def _bpm(text: str) -> float | None:
    found = _NUMBER.search(text)
    bpm = float(found[0].replace(",", ".")) if found else 0.0
    return bpm if 0 < bpm < 1000 else None
