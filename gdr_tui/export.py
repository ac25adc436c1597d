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

from gdr_model.errors import UsageError
from gdr_model.types import Hit, Results
from gdr_tui.literal import literal

FORMATS = (".m3u8", ".csv", ".json")
_FIELDS = (
    "rank",
    "path",
    "title",
    "artist",
    "album",
    "genre",
    "start_s",
    "score",
    "seed",
    "prompt",
)
_Ranked = Sequence[tuple[int, Hit]]


def suggested_name(prompt: str) -> str:
    """A file name made of the first words of the prompt."""
    words = re.sub(r"[^\w]+", "-", literal(prompt).lower()).strip("-")
    return f"gdr-{words[:40].strip('-') or 'results'}.m3u8"


def write(target: Path, results: Results, only: frozenset[Path], *, replace: bool) -> str:
    """Write the hits in `only` (all when it is empty) and say what was done in one sentence.

    Raises:
        UsageError: for another format, a file that exists or a place that cannot be written.
    """
    target = target.expanduser()
    suffix = target.suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(f"end the file name in one of {', '.join(FORMATS)}")
    if target.exists() and not replace:
        raise UsageError(f"{literal(target.name)} exists; export again to replace it")
    ranked = [
        (rank, hit)
        for rank, hit in enumerate(results.hits, 1)
        if not only or hit.track.path in only
    ]
    kept = [pair for pair in ranked if _can_be_listed(pair[1].track.path, suffix)]
    writer = {".m3u8": _m3u8, ".csv": _csv, ".json": _json}[suffix]
    try:
        _put(target, writer(kept, results))
    except OSError as error:
        raise UsageError(f"cannot write {literal(str(target))}: {error.strerror}") from error
    left_out = f", {len(ranked) - len(kept)} left out: gone from disk" * (len(kept) < len(ranked))
    noun = "track" if len(kept) == 1 else "tracks"
    return f"wrote {len(kept)} {noun} to {literal(str(target))}{left_out}"


def _can_be_listed(path: Path, suffix: str) -> bool:
    """Whether a playlist can name this file; the other formats can name any."""
    return suffix != ".m3u8" or (path.exists() and not set(str(path)) & {"\n", "\r"})


def _m3u8(ranked: _Ranked, results: Results) -> str:
    """An extended playlist with absolute paths."""
    lines = ["#EXTM3U", f"#PLAYLIST:{literal(results.query.steering.prompt)}"]
    for _, hit in ranked:
        track = hit.track
        shown = literal(f"{track.artist} - {track.name}" if track.artist else track.name)
        lines += [f"#EXTINF:{round(track.duration_s)},{shown}", str(track.path)]
    return "\n".join(lines) + "\n"


def _rows(ranked: _Ranked, results: Results) -> list[dict[str, object]]:
    """One record a hit."""
    steering = results.query.steering
    return [
        dict(
            zip(
                _FIELDS,
                (
                    *(rank, str(hit.track.path), hit.track.title, hit.track.artist),
                    *(hit.track.album, hit.track.genre, round(hit.start_s, 3)),
                    *(round(hit.score, 4), steering.seed, steering.prompt),
                ),
                strict=True,
            )
        )
        for rank, hit in ranked
    ]


def _csv(ranked: _Ranked, results: Results) -> str:
    """A table with a header."""
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, _FIELDS, lineterminator="\n")
    table.writeheader()
    table.writerows(_rows(ranked, results))
    return buffer.getvalue()


def _json(ranked: _Ranked, results: Results) -> str:
    """The steering, which makes the same list again, and the hits."""
    steering = json.loads(results.query.steering.to_json())
    return json.dumps({"steering": steering, "hits": _rows(ranked, results)}, indent=2) + "\n"


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
