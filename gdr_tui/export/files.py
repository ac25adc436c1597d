"""Writing a list of tracks where the user said, in the form that the file's name asks for."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from gdr_model import atomic
from gdr_model.characters import cut
from gdr_model.errors import UsageError
from gdr_tui.export import links, lists, rekordbox
from gdr_tui.export.entries import PLAIN, Style, TrackList
from gdr_tui.rows import fits_playlist
from gdr_tui.safe_text import literal
from gdr_tui.user_paths import typed_path

FORMATS = (".m3u8", ".csv", ".json", ".xml")
"""The endings of a file's name that choose a form; a name without one is a folder of links."""


class AlreadyThere(UsageError):
    """A file of this name exists, and the caller did not allow replacing it."""


def already_there(target: Path) -> AlreadyThere:
    """The refusal to replace a file that exists."""
    return AlreadyThere(f"{literal(target.name)} exists; export again to replace it")


def wrong_ending(formats: Sequence[str], more: str = "") -> UsageError:
    """The refusal of a file name whose ending is no known form."""
    return UsageError(
        f"end the file name in {'one of ' * (len(formats) > 1)}{', '.join(formats)}{more}"
    )


def suggested_name(prompt: str) -> str:
    """A file name from the first words of a prompt."""
    composed = unicodedata.normalize("NFC", literal(prompt).lower())
    kept = [c if c.isalnum() or unicodedata.category(c)[0] == "M" else "-" for c in composed]
    words = re.sub("-+", "-", "".join(kept)).strip("-")
    return f"gdr-{cut(words, 40).strip('-') or 'results'}.m3u8"


def suggested_target(prompt: str) -> Path:
    """That name in the current folder, or in the home folder if the current one was deleted."""
    name = suggested_name(prompt)
    try:
        folder = Path.cwd()
    except OSError:
        return Path("~", name)
    # A text field cannot hold every folder's name; the bare name means the same place.
    return folder / name if literal(str(folder)) == str(folder) else Path(name)


def write_list(
    target: Path, tracks: TrackList, *, replace: bool = False, style: Style = PLAIN
) -> str:
    """Write a list in the form that the target's ending names.

    Args:
        target: ends in one of `FORMATS`; without an ending it is a folder of links.
        tracks: what to write; forms that players read leave out files that no longer exist.
        replace: whether an existing file may be replaced.
        style: of what the form leaves open.

    Returns:
        One sentence about what was written and what was left out.

    Raises:
        AlreadyThere: if the file exists and must not be replaced.
        UsageError: for another ending, or a place that cannot be written.
    """
    with typed_path(str(target)):
        target = Path(os.path.abspath(target.expanduser()))
        is_list = target.suffix or not target.is_dir()
        exists = _is_there(target) if is_list else any(target.iterdir())
    suffix = target.suffix.lower()
    if suffix and suffix not in FORMATS:
        raise wrong_ending(FORMATS, "; without an ending it becomes a folder of links")
    if exists and not replace:
        raise already_there(target)
    reasons = [why_not(entry.path, suffix) for entry in tracks.entries]
    entries = tuple(e for e, reason in zip(tracks.entries, reasons, strict=True) if not reason)
    written = TrackList(tracks.title, entries, tracks.steering)
    try:
        match suffix:
            case ".m3u8":
                folder = Path(os.path.realpath(target.parent)) if style.relative else None
                text = lists.m3u8(written, folder, starts=style.starts)
                atomic.write_text(target, text, "surrogateescape")
            case ".csv":
                text = lists.BOM * style.bom + lists.as_csv(written)
                atomic.write_text(target, text, "surrogateescape")
            case ".json":
                atomic.write_text(target, lists.as_object(written))
            case ".xml":
                atomic.write_bytes(target, rekordbox.document(written))
            case _:
                links.fill(target, written, relative=style.relative)
    except OSError as error:
        raise UsageError(f"cannot write {literal(str(target))}: {error.strerror}") from error
    noun = "track" if len(entries) == 1 else "tracks"
    left_out = "".join(
        f", {reasons.count(reason)} left out: {reason}" for reason in sorted(set(reasons)) if reason
    )
    return f"wrote {len(entries)} {noun} to {literal(str(target))}{left_out}"


def _is_there(target: Path) -> bool:
    """Whether a file or a link has this name; unlike `lexists`, refusals of the system count."""
    try:
        target.lstat()
    except FileNotFoundError:
        return False
    return True


def why_not(path: Path, suffix: str) -> str:
    """Why a form of this suffix leaves a file out, "" if it doesn't; tables can name any file."""
    if suffix in (".csv", ".json"):
        return ""
    if suffix == ".m3u8" and not fits_playlist(str(path)):
        return "a line break in the name"
    return "" if os.path.exists(path) else "not there now"
