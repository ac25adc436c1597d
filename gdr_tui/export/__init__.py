"""Lists of tracks written out: M3U8, CSV, JSON, rekordbox XML, or a folder of symbolic links.

Paths are written as the bytes they have on disk, so a playlist also reaches a file whose name
is not valid UTF-8. A file is written under a temporary name and moved into place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from gdr_model.errors import UsageError
from gdr_model.types import Results
from gdr_tui.export import links, lists, rekordbox
from gdr_tui.export.entries import TrackList, of_crate, of_results
from gdr_tui.safe_text import literal
from gdr_tui.user_paths import typed_path

__all__ = [
    "FORMATS",
    "AlreadyThere",
    "TrackList",
    "already_there",
    "of_crate",
    "of_results",
    "put",
    "suggested_name",
    "suggested_target",
    "write",
    "write_list",
    "wrong_ending",
]

FORMATS = (".m3u8", ".csv", ".json", ".xml")
"""By the end of a file's name; a name without one is a folder of links."""


class AlreadyThere(UsageError):
    """A file of this name exists, and nobody said that it may be replaced."""


def already_there(target: Path) -> AlreadyThere:
    """The refusal to replace a file unasked."""
    return AlreadyThere(f"{literal(target.name)} exists; export again to replace it")


def wrong_ending(formats: Sequence[str], more: str = "") -> UsageError:
    """The refusal of a file name that does not say what it is."""
    return UsageError(
        f"end the file name in {'one of ' * (len(formats) > 1)}{', '.join(formats)}{more}"
    )


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
    """Write the hits in `only` (all when it is empty); as `write_list`."""
    return write_list(target, of_results(results, only), replace=replace)


def write_list(
    target: Path, tracks: TrackList, *, replace: bool = False, relative: bool = False
) -> str:
    """Write a list as the end of the target's name says, and say in one sentence what was done.

    Args:
        target: ends in one of `FORMATS`; without an ending it is a folder of links.
        tracks: what to write; files that are gone are left out of what a player reads.
        replace: whether a file of this name may be replaced.
        relative: in playlists and links, lead from the target to the tracks.

    Raises:
        AlreadyThere: if there is such a file and it is not to be replaced.
        UsageError: for another format, or a place that cannot be written.
    """
    with typed_path(str(target)):
        target = Path(os.path.abspath(target.expanduser()))
        exists = target.is_dir() and any(target.iterdir()) if not target.suffix else target.exists()
    suffix = target.suffix.lower()
    if suffix and suffix not in FORMATS:
        raise wrong_ending(FORMATS, "; without an ending it becomes a folder of links")
    if exists and not replace:
        raise already_there(target)
    reasons = [_why_not(entry.path, suffix) for entry in tracks.entries]
    kept = tuple(e for e, reason in zip(tracks.entries, reasons, strict=True) if not reason)
    left = TrackList(tracks.title, kept, tracks.steering)
    try:
        match suffix:
            case ".m3u8":
                folder = Path(os.path.realpath(target.parent)) if relative else None
                put(target, lists.m3u8(left, folder))
            case ".csv":
                put(target, lists.as_csv(left))
            case ".json":
                put(target, lists.as_object(left))
            case ".xml":
                put(target, rekordbox.document(left))
            case _:
                links.fill(target, left, relative=relative)
    except OSError as error:
        raise UsageError(f"cannot write {literal(str(target))}: {error.strerror}") from error
    noun = "track" if len(kept) == 1 else "tracks"
    left_out = "".join(
        f", {reasons.count(reason)} left out: {reason}" for reason in sorted(set(reasons)) if reason
    )
    return f"wrote {len(kept)} {noun} to {literal(str(target))}{left_out}"


def _why_not(path: Path, suffix: str) -> str:
    """Why what a player reads cannot name this file, "" if it can; tables can name any."""
    if suffix in (".csv", ".json"):
        return ""
    if suffix == ".m3u8" and set(str(path)) & {"\n", "\r"}:
        return "a line break in the name"
    return "" if os.path.exists(path) else "gone from disk"


def put(target: Path, content: str | bytes) -> None:
    """Write and rename into place, so that no half-written file is ever seen.

    Raises:
        OSError: if the place cannot be written.
    """
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
    temporary = target.with_name(f".{target.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
