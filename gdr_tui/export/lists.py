"""Lists as text: M3U8 for players, CSV for tables, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import Any

from gdr_tui.export.entries import Entry, TrackList
from gdr_tui.rows import as_json, playlist_entry
from gdr_tui.safe_text import literal

BOM = "\ufeff"
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")
"""What spreadsheets may take for a formula, with or without the apostrophes that prevent it."""


def m3u8(tracks: TrackList, folder: Path | None, *, starts: bool = False) -> str:
    """An extended playlist.

    Args:
        tracks: what is in it.
        folder: where it will be, for relative paths; None for absolute ones.
        starts: whether each track starts at its passage.
    """
    entries = (
        playlist_entry(
            _location(entry, folder),
            entry.name,
            entry.artist,
            entry.duration_s,
            entry.start_s if starts else 0.0,
        )
        for entry in tracks.entries
    )
    return f"#EXTM3U\n#PLAYLIST:{literal(tracks.title)}\n" + "".join(entries)


def _location(entry: Entry, folder: Path | None) -> str:
    """A path with forward slashes that no player takes for a comment."""
    if folder is None:
        return str(entry.path).replace(os.sep, "/")
    relative = os.path.relpath(entry.path, folder).replace(os.sep, "/")
    # "#1.mp3" would be a comment, and blanks before a name are trimmed.
    return f"./{relative}" if relative[0] == "#" or relative[0].isspace() else relative


def as_csv(tracks: TrackList) -> str:
    """A table with a header, in which no spreadsheet finds a formula to run.

    Text that begins like one gets an apostrophe in front, and so does text with apostrophes before
    such a beginning: who takes one away from each has the text as it was.
    """
    rows = [_flat(entry.row) for entry in tracks.entries]
    header = [list(rows[0])] if rows else []
    return "".join(map(_line, header + [list(row.values()) for row in rows]))


def _line(cells: list[object]) -> str:
    """A line of a table; a cell with any kind of line break is quoted."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)  # quotes what its own end contains
    return buffer.getvalue().removesuffix("\r\n") + "\n"


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose lists are replaced by their lengths, without formulas."""
    return {
        name: len(value) if isinstance(value, list) else _harmless(value)
        for name, value in row.items()
    }


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def as_object(tracks: TrackList) -> str:
    """The tracks, under the steering that gives the same list again, or under a crate's name."""
    rows = [entry.row for entry in tracks.entries]
    if tracks.steering is None:
        return as_json({"crate": tracks.title, "tracks": rows}, indent=2) + "\n"
    steering = json.loads(tracks.steering.to_json())
    return as_json({"steering": steering, "hits": rows}, indent=2) + "\n"
