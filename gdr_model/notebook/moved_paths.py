"""Let the notebook follow files to another folder: trails, results, crates, likes and bans."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gdr_model import plain

Rename = Callable[[bytes], bytes]


def follow(connection: sqlite3.Connection, old: Sequence[Path], new: Path) -> int:
    """Rename every path in one of the old folders, in a transaction of the caller's.

    Returns:
        How many tracks in crates were renamed.
    """
    rename = _renaming(old, new)
    # Trails are found by the paths of their folders without symbolic links.
    _rename_trails(connection, _renaming(old, Path(os.path.realpath(new))))
    _rename_steerings(connection, rename)
    connection.create_function("renamed", 1, rename, deterministic=True)
    connection.create_function("all_renamed", 1, _all_renaming(rename), deterministic=True)
    connection.execute(
        "UPDATE hits SET path = renamed(path), copies = all_renamed(copies) "
        "WHERE path <> renamed(path) OR copies <> all_renamed(copies)"
    )
    moved = connection.execute(
        "SELECT crate, path, renamed(path) FROM crate_tracks WHERE path <> renamed(path)"
    ).fetchall()
    for crate, path, to in moved:
        # A track that was added again at its new place keeps the place it had first.
        connection.execute("DELETE FROM crate_tracks WHERE crate = ? AND path = ?", (crate, to))
        connection.execute(
            "UPDATE crate_tracks SET path = ? WHERE crate = ? AND path = ?", (to, crate, path)
        )
    return len(moved)


def _rename_trails(connection: sqlite3.Connection, rename: Rename) -> None:
    for trail, roots in connection.execute("SELECT id, roots FROM trails").fetchall():
        to = b"\0".join(sorted({rename(root) for root in roots.split(b"\0")}))
        if to == roots:
            continue
        other = connection.execute("SELECT id FROM trails WHERE roots = ?", (to,)).fetchone()
        if other is None:
            connection.execute("UPDATE trails SET roots = ? WHERE id = ?", (to, trail))
            continue
        # Queries were asked at the new place already: both trails become one.
        connection.execute("UPDATE queries SET trail = ? WHERE trail = ?", (other[0], trail))
        connection.execute("DELETE FROM trails WHERE id = ?", (trail,))


def _rename_steerings(connection: sqlite3.Connection, rename: Rename) -> None:
    for query, text in connection.execute("SELECT id, steering FROM queries").fetchall():
        try:
            steering = plain.from_json(text)
        except ValueError:
            continue
        renamed = _renamed_steering(steering, rename)
        if renamed != steering:
            connection.execute(
                "UPDATE queries SET steering = ? WHERE id = ?",
                (json.dumps(renamed, ensure_ascii=True, sort_keys=True), query),
            )


def _renamed_steering(steering: Any, rename: Rename) -> Any:
    """The JSON of a steering, also of one that a newer version wrote."""
    if not isinstance(steering, dict):
        return steering

    def text(path: Any) -> Any:
        return os.fsdecode(rename(os.fsencode(path))) if isinstance(path, str) else path

    result = dict(steering)
    for name in ("likes", "dislikes"):
        if isinstance(result.get(name), list):
            result[name] = [text(path) for path in result[name]]
    if isinstance(result.get("edit"), dict):
        result["edit"] = {**result["edit"], "path": text(result["edit"].get("path"))}
    return result


def _all_renaming(rename: Rename) -> Rename:
    """The same for several paths with NULs between them."""
    return lambda paths: b"\0".join(rename(path) for path in paths.split(b"\0"))


def _renaming(old: Sequence[Path], new: Path) -> Rename:
    """The new path of what is in one of the old folders; any other path as it is."""
    target = _bare(os.fsencode(new))
    targets = {target, _bare(os.fsencode(os.path.realpath(new)))}
    roots = sorted({_bare(os.fsencode(root)) for root in old}, key=len, reverse=True)

    def rename(path: bytes) -> bytes:
        for root in roots:
            if not _is_in(path, root):
                continue
            # Where the new folder is in the old one, what is in it is there already.
            if any(to != root and _is_in(to, root) and _is_in(path, to) for to in targets):
                return path
            return target + _bare(path)[len(root) :]
        return path

    return rename


def _bare(path: bytes) -> bytes:
    """A path without separators at its end."""
    return path.rstrip(os.fsencode(os.sep))


def _is_in(path: bytes, folder: bytes) -> bool:
    """Whether a path is a folder without separators at its end, or is in it."""
    separator = os.fsencode(os.sep)
    return (os.path.normcase(path) + separator).startswith(os.path.normcase(folder) + separator)
