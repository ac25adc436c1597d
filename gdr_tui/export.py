"""Results written to a file: M3U8 for players, CSV for tables, JSON for programs.

Paths are written as the bytes they have on disk, so a playlist also reaches a file whose name
is not valid UTF-8. A file is written under a temporary name and moved into place.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gdr_model.errors import UsageError
from gdr_model.types import Hit, Results
from gdr_tui.literal import literal
from gdr_tui.output import as_json, m3u8_entry, record
from gdr_tui.typed import typed_path

FORMATS = (".m3u8", ".csv", ".json")
_Ranked = Sequence[tuple[int, Hit]]


class AlreadyThere(UsageError):
    """A file of this name exists, and nobody said that it may be replaced."""


def suggested_name(prompt: str) -> str:
    """A file name made of the first words of the prompt."""
    words = re.sub(r"[^\w]+", "-", literal(prompt).lower()).strip("-")
    return f"gdr-{words[:40].strip('-') or 'results'}.m3u8"


def suggested_target(prompt: str) -> Path:
    """That name in the current folder; in the user's own where the current one was deleted."""
    name = suggested_name(prompt)
    try:
        folder = Path.cwd()
    except OSError:
        return Path("~", name)
    # A box for text cannot hold the name of every folder; the bare name means the same.
    return folder / name if literal(str(folder)) == str(folder) else Path(name)


def write(target: Path, results: Results, only: frozenset[Path], *, replace: bool) -> str:
    """Write the hits in `only` (all when it is empty) and say what was done in one sentence.

    Raises:
        AlreadyThere: if there is such a file and it is not to be replaced.
        UsageError: for another format, or a place that cannot be written.
    """
    with typed_path(str(target)):
        target = target.expanduser()
        exists = target.exists()
    suffix = target.suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(f"end the file name in one of {', '.join(FORMATS)}")
    if exists and not replace:
        raise AlreadyThere(f"{literal(target.name)} exists; export again to replace it")
    ranked = [
        (rank, hit)
        for rank, hit in enumerate(results.hits, 1)
        if not only or hit.track.path in only
    ]
    reasons = [_why_not(hit.track.path, suffix) for _, hit in ranked]
    kept = [pair for pair, reason in zip(ranked, reasons, strict=True) if not reason]
    writer = {".m3u8": _m3u8, ".csv": _csv, ".json": _json}[suffix]
    try:
        _put(target, writer(kept, results))
    except OSError as error:
        raise UsageError(f"cannot write {literal(str(target))}: {error.strerror}") from error
    noun = "track" if len(kept) == 1 else "tracks"
    left_out = "".join(
        f", {reasons.count(reason)} left out: {reason}" for reason in sorted(set(reasons)) if reason
    )
    return f"wrote {len(kept)} {noun} to {literal(str(target))}{left_out}"


def _why_not(path: Path, suffix: str) -> str:
    """Why a playlist cannot name this file, "" if it can; the other formats can name any."""
    if suffix != ".m3u8":
        return ""
    if set(str(path)) & {"\n", "\r"}:
        return "a line break in the name"
    return "" if os.path.exists(path) else "gone from disk"


def _m3u8(ranked: _Ranked, results: Results) -> str:
    """An extended playlist with absolute paths."""
    heading = f"#EXTM3U\n#PLAYLIST:{literal(results.query.steering.prompt)}\n"
    return heading + "".join(m3u8_entry(hit) for _, hit in ranked)


def _row(rank: int, hit: Hit, results: Results) -> dict[str, Any]:
    """One hit as the command line gives it, and what a table of music has besides."""
    return record(rank, hit, results) | {"album": hit.track.album, "genre": hit.track.genre}


def _csv(ranked: _Ranked, results: Results) -> str:
    """A table with a header."""
    rows = [_row(rank, hit, results) for rank, hit in ranked]
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, rows[0] if rows else (), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return buffer.getvalue()


def _json(ranked: _Ranked, results: Results) -> str:
    """The steering, which makes the same list again, and the hits."""
    steering = json.loads(results.query.steering.to_json())
    rows = [_row(rank, hit, results) for rank, hit in ranked]
    return as_json({"steering": steering, "hits": rows}, indent=2) + "\n"


def _put(target: Path, text: str) -> None:
    """Write and rename into place, so that no half-written file is ever seen."""
    temporary = target.with_name(f".{target.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
