"""Lists as text: M3U8 for players, CSV for tables, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

from gdr_tui.export.entries import Entry, TrackList
from gdr_tui.rows import as_json, playlist_entry
from gdr_tui.safe_text import literal


def m3u8(tracks: TrackList, folder: Path | None) -> str:
    """An extended playlist of absolute paths, or of paths relative to the folder it will be in."""
    entries = (
        playlist_entry(_location(entry, folder), entry.name, entry.artist, entry.duration_s)
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
    """A table with a header."""
    rows = [_flat(entry.row) for entry in tracks.entries]
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, rows[0] if rows else (), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return buffer.getvalue()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose lists are replaced by their lengths."""
    return {name: len(value) if isinstance(value, list) else value for name, value in row.items()}


def as_object(tracks: TrackList) -> str:
    """The tracks, under the steering that gives the same list again, or under a crate's name."""
    rows = [entry.row for entry in tracks.entries]
    if tracks.steering is None:
        return as_json({"crate": tracks.title, "tracks": rows}, indent=2) + "\n"
    steering = json.loads(tracks.steering.to_json())
    return as_json({"steering": steering, "hits": rows}, indent=2) + "\n"
