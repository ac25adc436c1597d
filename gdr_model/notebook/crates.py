"""Crates: named, ordered lists of tracks, gathered across queries and libraries.

A file is in a crate at most once, by whatever symbolic links its folder is reached. Its tags at
the time it was added are stored with it, and the passage and the words that found it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdr_model.errors import Hint, LibraryError, UsageError
from gdr_model.notebook.database import Notebook
from gdr_model.paths import identity
from gdr_model.store.folder.presence import answered

MAX_NAME_CHARS = 200


@dataclass(frozen=True)
class CrateTrack:
    """A track in a crate."""

    path: Path
    """Absolute; may hold surrogate escapes where the name is not valid UTF-8."""
    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    duration_s: float = 0.0
    start_s: float = 0.0
    """Start of the passage that was found."""
    prompt: str = ""
    """The words that found it."""

    @property
    def name(self) -> str:
        """Title if it has one, else the file's name."""
        return self.title or self.path.name


@dataclass(frozen=True)
class Crate:
    """A crate without its tracks."""

    name: str
    count: int
    duration_s: float


class Crates:
    """The crates in a notebook."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook

    def all(self) -> list[Crate]:
        """All crates, ordered by name."""
        rows = self._notebook.read(
            "SELECT name, count(path), total(duration_s) FROM crates "
            "LEFT JOIN crate_tracks ON crate = id GROUP BY id ORDER BY name COLLATE NOCASE, name"
        )
        return [Crate(*row) for row in rows]

    def tracks(self, name: str) -> list[CrateTrack]:
        """The tracks of a crate, in order.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        rows = self._notebook.read(
            "SELECT path, title, artist, album, genre, duration_s, start_s, prompt "
            "FROM crate_tracks WHERE crate = ? ORDER BY place, path",
            crate,
        )
        return [CrateTrack(Path(os.fsdecode(row[0])), *row[1:]) for row in rows]

    def chosen(self) -> str:
        """The name of the crate that marked tracks go to; "" if there is none."""
        rows = self._notebook.read(
            "SELECT crates.name FROM facts JOIN crates ON crates.id = value "
            "WHERE facts.name = 'crate'"
        )
        return str(rows[0][0]) if rows else ""

    def choose(self, name: str) -> None:
        """Let marked tracks go to this crate.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        with self._notebook.write() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('crate', ?)", (crate,))

    def make(self, name: str) -> None:
        """Create a crate.

        Raises:
            UsageError: if there is one of this name, or the name is invalid.
        """
        name = checked_name(name)
        with self._notebook.write() as connection:
            try:
                connection.execute(
                    "INSERT INTO crates (name, made_at) VALUES (?, ?)", (name, time.time())
                )
            except sqlite3.IntegrityError:
                raise UsageError(f"there is already a crate called {name}") from None

    def rename(self, name: str, to: str) -> None:
        """Rename a crate.

        Raises:
            LibraryError: if there is no such crate.
            UsageError: if another one has the new name, or the name is invalid.
        """
        crate, to = self._number(name), checked_name(to)
        with self._notebook.write() as connection:
            try:
                connection.execute("UPDATE crates SET name = ? WHERE id = ?", (to, crate))
            except sqlite3.IntegrityError:
                raise UsageError(f"there is already a crate called {to}") from None

    def delete(self, name: str) -> None:
        """Delete a crate and its list of tracks; no music file is touched.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        with self._notebook.write() as connection:
            connection.execute("DELETE FROM crates WHERE id = ?", (crate,))

    def add(self, name: str, tracks: Iterable[CrateTrack]) -> int:
        """Add tracks at the end of a crate; returns how many were new to it.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate, now = self._number(name), time.time()
        listed = list(tracks)
        identities = _identities([track.path for track in listed])
        with self._notebook.write() as connection:
            known = set(_stored(connection, crate))
            fresh: dict[bytes, CrateTrack] = {}
            for file, track in zip(identities, listed, strict=True):
                if file not in known:
                    fresh.setdefault(file, track)
            place = _last_place(connection, crate) + 1
            connection.executemany(
                "INSERT INTO crate_tracks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (crate, os.fsencode(t.path), place + i, t.title, t.artist, t.album, t.genre,
                     t.duration_s, t.start_s, t.prompt, now)
                    for i, t in enumerate(fresh.values())
                ),
            )  # fmt: skip
        return len(fresh)

    def remove(self, name: str, paths: Iterable[Path]) -> int:
        """Remove tracks from a crate; returns how many were in it.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        identities = set(_identities(list(paths)))
        with self._notebook.write() as connection:
            stored = _stored(connection, crate)
            connection.executemany(
                "DELETE FROM crate_tracks WHERE crate = ? AND path = ?",
                [(crate, path) for file in identities for path in stored.get(file, ())],
            )
        return len(identities & stored.keys())

    def arrange(self, name: str, order: Sequence[Path]) -> None:
        """Reorder the tracks of a crate; those not named follow in their present order.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        identities = _identities(order)
        with self._notebook.write() as connection:
            stored = _stored(connection, crate)
            places: list[tuple[Any, ...]] = [
                (i - len(order), crate, path)
                for i, file in enumerate(identities)
                for path in stored.get(file, ())
            ]
            connection.executemany(
                "UPDATE crate_tracks SET place = ? WHERE crate = ? AND path = ?", places
            )
            # Places start at 0 again, so that tracks added later come last.
            connection.execute(
                "UPDATE crate_tracks SET place = place + ? WHERE crate = ?", (len(order), crate)
            )

    def _number(self, name: str) -> int:
        rows = self._notebook.read("SELECT id FROM crates WHERE name = ?", name)
        if not rows:
            raise LibraryError(f"there is no crate called {name}", Hint.LIST_CRATES)
        return int(rows[0][0])


def _last_place(connection: sqlite3.Connection, crate: int) -> int:
    sql = "SELECT coalesce(max(place), -1) FROM crate_tracks WHERE crate = ?"
    return int(connection.execute(sql, (crate,)).fetchone()[0])


def _stored(connection: sqlite3.Connection, crate: int) -> dict[bytes, list[bytes]]:
    """The paths in a crate, by the identity of their files."""
    sql = "SELECT path FROM crate_tracks WHERE crate = ?"
    paths = [row[0] for row in connection.execute(sql, (crate,))]
    stored: dict[bytes, list[bytes]] = {}
    identities = _identities([Path(os.fsdecode(path)) for path in paths])
    for file, path in zip(identities, paths, strict=True):
        stored.setdefault(file, []).append(path)
    return stored


def _identities(paths: Sequence[Path]) -> list[bytes]:
    """What is equal for paths of one file; of a disk that hangs, the paths themselves."""
    return answered(lambda: [identity(path) for path in paths], list(map(os.fsencode, paths)))


def checked_name(name: str) -> str:
    """Strip and validate the name of a crate.

    Raises:
        UsageError: if it is empty, too long or not valid text.
    """
    name = name.strip()
    if not name:
        raise UsageError("a crate needs a name")
    if len(name) > MAX_NAME_CHARS:
        raise UsageError(f"a crate's name has at most {MAX_NAME_CHARS} characters")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UsageError("a crate's name must be valid UTF-8; please retype it") from None
    return name
