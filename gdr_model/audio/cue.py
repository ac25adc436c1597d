"""Read cue sheets: which tracks a long sound file holds, and where each of them begins.

    FILE "album.flac" WAVE
      TRACK 01 AUDIO
        TITLE "First"
        PERFORMER "Somebody"
        INDEX 01 00:00:00

Times are minutes, seconds and frames of a 75th of a second. A track belongs to the file in which
its INDEX 01 is. Lines that are not understood are skipped.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath

from gdr_model import patience
from gdr_model.audio.source import unavailable
from gdr_model.characters import cut, decoded
from gdr_model.errors import FileUnavailable
from gdr_model.types import Section

SUFFIX = ".cue"

_MAX_BYTES = 1 << 20
_MAX_SECTIONS = 1000
_MAX_SHEETS = 100
"""Sheets read in one folder."""
MAX_CHARS = 500
"""Of a title or a name."""
_MAX_LINE = 4000
"""Characters of a line that are looked at."""
_QUOTED = re.compile(r'"(.*)"')
_INDEX = re.compile(r"0*1\s+(\d{1,4}):(\d{1,2}):(\d{1,2})$")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

Sections = tuple[Section, ...]


class Sheets:
    """The cue sheets of one folder."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        """Read the sheets among the names of a folder's files."""
        sheets = sorted(name for name in names if name.lower().endswith(SUFFIX))
        self._sheets: dict[str, dict[str, Sections]] = {}
        self.unavailable: dict[str, str] = {}
        """Why the system could not read a sheet, by its name."""
        for name in sheets[:_MAX_SHEETS]:
            try:
                self._sheets[name] = read(folder / name)
            except FileUnavailable as error:
                self.unavailable[name] = str(error)

    def __bool__(self) -> bool:
        return any(self._sheets.values())

    def sections_of(self, file_name: str) -> Sections:
        """The tracks of a file of this folder; none if no sheet is about it.

        A sheet is about the files that its FILE lines name. Rips are often converted after the
        sheet was written, so a name with another suffix counts too; and a sheet that is called
        like the file (`album.cue` or `album.flac.cue`) and has a single FILE line is about it.
        """
        wanted = file_name.casefold()
        stem = _stem(wanted)
        own = [n for n in self._sheets if n[: -len(SUFFIX)].casefold() in (stem, wanted)]
        ordered = [*own, *(name for name in self._sheets if name not in own)]
        for same in (lambda named: named == wanted, lambda named: _stem(named) == stem):
            for name in ordered:
                for named, sections in self._sheets[name].items():
                    if sections and same(named.casefold()):
                        return sections
        for name in own:
            if len(self._sheets[name]) == 1:
                return next(iter(self._sheets[name].values()))
        return ()


def read(path: Path) -> dict[str, Sections]:
    """The sections of every FILE of a sheet, by its name without folders; {} if there is no sheet.

    Raises:
        FileUnavailable: if the system could not read it.
    """
    try:
        data = patience.answered(lambda: _bytes(path), None, patience.READ_S)
    except (FileNotFoundError, IsADirectoryError):
        return {}
    except OSError as error:
        raise unavailable(error) from error
    if data is None:
        raise FileUnavailable(f"the system needed more than {patience.READ_S:.0f} s to read it")
    return parse(_text(data))


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_BYTES)


def parse(text: str) -> dict[str, Sections]:
    """The sections of every FILE of a sheet, by its name without folders.

    Sections before the first FILE line are those of the name "".
    """
    found: dict[str, list[Section]] = {}
    count = number = 0
    name = sheet_artist = title = artist = ""
    in_track = False
    for line in text.splitlines():
        words = line[:_MAX_LINE].split(maxsplit=1)
        if len(words) < 2 or count >= _MAX_SECTIONS or len(found) >= _MAX_SECTIONS:
            continue
        command, rest = words[0].upper(), words[1].rstrip()
        if command == "FILE":
            name = _file_name(rest)
            found.setdefault(name, [])
        elif command == "TRACK":
            number += 1
            in_track, title, artist = rest.upper().endswith("AUDIO"), "", ""
        elif command == "TITLE":
            title = _value(rest)
        elif command == "PERFORMER":
            artist = _value(rest)
            sheet_artist = sheet_artist if number else artist
        elif command == "INDEX" and in_track and (at := _INDEX.match(rest)):
            start_s = int(at[1]) * 60 + int(at[2]) + int(at[3]) / 75
            section = Section(start_s, title or f"Track {number}", artist or sheet_artist)
            found.setdefault(name, []).append(section)
            count += 1
    return {name: in_order(sections) for name, sections in found.items()}


def in_order(sections: Iterable[Section]) -> Sections:
    """Sections by their starts; of two at the same moment the last is kept."""
    return tuple(sorted({section.start_s: section for section in sections}.values(), key=_start_s))


def _start_s(section: Section) -> float:
    return section.start_s


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _value(rest: str) -> str:
    quoted = _QUOTED.search(rest)
    return cut((quoted[1] if quoted else rest).strip(), MAX_CHARS)


def _file_name(rest: str) -> str:
    r"""The name in `"folder\\name.wav" WAVE`; sheets are written with either kind of slash."""
    quoted = _QUOTED.search(rest)
    named = quoted[1] if quoted else rest.rpartition(" ")[0] or rest
    return PureWindowsPath(named.strip()).name


def _text(data: bytes) -> str:
    """Sheets are UTF-8 or, when they are older, in the code page of western Windows."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, "replace")
    return decoded(data)
