"""All of stdout: results in every format.

Paths are written as the bytes they have on disk. In JSON a byte that is not UTF-8 becomes a lone
surrogate escape, which Python's `os.fsencode` turns back into the byte.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from gdr_model.types import Hit, Results
from gdr_tui import labels
from gdr_tui.rows import as_json, copies_note, fits_playlist, hit_row, playlist_entry
from gdr_tui.safe_text import clock, literal

_COLUMNS = (
    "prompt", "rank", "path", "title", "artist", "start_s", "score", "seed", "section", "copies"
)  # fmt: skip
"""Of tab-separated output; of copies the number."""
AWAY = "not there now"
"""Said of a file on a disk that is not mounted, or one that is gone."""
_KEPT = re.compile("([\n\t\0])")
"""What separates lines, columns and paths; terminals ignore NUL."""


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    TSV = "tsv"
    PATHS = "paths"
    M3U8 = "m3u8"


def write(text: str) -> None:
    """Write to stdout: to a program the text's own bytes, to a terminal nothing that acts on it."""
    if sys.stdout.isatty():
        text = "".join(part if part in "\n\t\0" else literal(part) for part in _KEPT.split(text))
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def tsv_line(fields: Iterable[object]) -> str:
    """A line of tab-separated fields; tabs and line breaks in a field are escaped."""
    escapes = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
    return "\t".join("".join(escapes.get(c, c) for c in str(field)) for field in fields) + "\n"


def _table(results: Results, away: Collection[Path]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else 100)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, right in (("#", True), ("score", True), ("from", True)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    table.add_column("title", ratio=3, overflow="ellipsis", no_wrap=True)
    table.add_column("artist", ratio=2, overflow="ellipsis", no_wrap=True)
    table.add_column("genre", ratio=1, overflow="ellipsis", no_wrap=True)
    if any(hit.copies for hit in results.hits):
        table.add_column("", style="dim", no_wrap=True)
    for rank, hit in enumerate(results.hits, 1):
        cells = [str(rank), f"{hit.score:.3f}", clock(hit.start_s)]
        name = f"{AWAY}: {hit.name}" if hit.track.path in away else hit.name
        texts = name, hit.artist, hit.track.genre, copies_note(hit.copies)
        table.add_row(*cells, *(Text(literal(text)) for text in texts[: len(table.columns) - 3]))
    steering = results.query.steering
    heading = Text(literal(labels.asked_for(steering)), style="bold")
    _, *steered = labels.changes(None, steering.but(edit=None))
    for change in steered:
        heading.append(f"  {literal(change)}", style="red" if change[0] in "−⊘" else "green")
    console.print(heading, soft_wrap=True)
    console.print(table if results.hits else _nothing(results))
    console.print()


def _in_playlist(hit: Hit, away: Collection[Path], starts: bool) -> str:
    """A track in a playlist; "" for a name that no playlist can hold, and for what is away."""
    track, path = hit.track, str(hit.track.path)
    if not fits_playlist(path) or track.path in away:
        return ""
    start_s = hit.start_s if starts else 0.0
    return playlist_entry(path, hit.title, hit.artist, track.duration_s, start_s)


def _nothing(results: Results) -> str:
    """Why there are no results."""
    if results.banned:
        tracks = "every track that passes the filter" if results.filtered else "every track"
        steering = results.query.steering
        options = ["--like"] * (not steering.worded)
        options += ["--unlike"] * bool(steering.worded or steering.dislikes)
        return f"{tracks} is left out by {' or '.join(options)}"
    return "no track passes the filter"


def show(
    answers: Sequence[Results], form: Format, away: Collection[Path] = (), *, starts: bool = False
) -> None:
    """Print results, in order.

    Args:
        answers: what to print.
        form: how.
        away: files that are not there now.
        starts: whether a playlist starts each track at its passage.
    """
    if form is Format.TABLE:
        for results in answers:
            _table(results, away)
        return

    def row(rank: int, hit: Hit, results: Results) -> dict[str, Any]:
        return hit_row(rank, hit, results) | {"missing": hit.track.path in away}

    ranked = [
        (rank, hit, results) for results in answers for rank, hit in enumerate(results.hits, 1)
    ]
    match form:
        case Format.JSONL:
            write("".join(as_json(row(*entry)) + "\n" for entry in ranked))
        case Format.JSON:
            whole = [
                {
                    "steering": json.loads(results.query.steering.to_json()),
                    "method": results.query.method,
                    "tracks_searched": results.tracks_searched,
                    "agreement": round(results.agreement, 5),
                    "hits": [row(r, h, results) for r, h in enumerate(results.hits, 1)],
                }
                for results in answers
            ]
            write(as_json(whole, indent=2) + "\n")
        case Format.TSV:
            rows = [hit_row(*entry) | {"copies": len(entry[1].copies)} for entry in ranked]
            write(
                tsv_line(_COLUMNS)
                + "".join(tsv_line(row[name] for name in _COLUMNS) for row in rows)
            )
        case Format.PATHS:
            write("".join(f"{hit.track.path}\n" for _, hit, _ in ranked))
        case Format.M3U8:
            entries = "".join(_in_playlist(hit, away, starts) for _, hit, _ in ranked)
            write("#EXTM3U\n" + entries)


def show_paths0(answers: Sequence[Results]) -> None:
    """Print paths, each ended by NUL, for `xargs -0`."""
    write_paths0(hit.track.path for results in answers for hit in results.hits)


def write_paths0(paths: Iterable[Path]) -> None:
    """Write paths, each ended by NUL: to a program as the bytes they have on disk."""
    write("".join(f"{path}\0" for path in paths))
