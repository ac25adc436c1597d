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
from gdr_model.store.folder.presence import asked

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

    def add(self, name: str, tracks: Iterable[CrateTrack], *, make: bool = False) -> int:
        """Add tracks at the end of a crate; returns how many were new to it.

        Args:
            name: of the crate.
            tracks: to add.
            make: make the crate if there is none of this name, in the same transaction.

        Raises:
            LibraryError: if there is no such crate.
            UsageError: if a crate cannot have the name.
        """
        listed, now = list(tracks), time.time()
        name = checked_name(name) if make else name
        crate = self._found(name) if make else self._number(name)
        files = self._files(crate, [track.path for track in listed])
        fresh: dict[bytes, CrateTrack] = {}
        for track in listed:
            if not files.stored(track.path):
                fresh.setdefault(files.identity(track.path), track)
        with self._notebook.write() as connection:
            if crate is None:
                connection.execute(
                    "INSERT OR IGNORE INTO crates (name, made_at) VALUES (?, ?)", (name, now)
                )
                crate = self._number(name)
            place = _last_place(connection, crate) + 1
            return connection.executemany(
                "INSERT OR IGNORE INTO crate_tracks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (crate, os.fsencode(t.path), place + i, t.title, t.artist, t.album, t.genre,
                     t.duration_s, t.start_s, t.prompt, now)
                    for i, t in enumerate(fresh.values())
                ),
            ).rowcount  # fmt: skip

    def remove(self, name: str, paths: Iterable[Path]) -> int:
        """Remove tracks from a crate; returns how many were in it.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        files = self._files(crate, listed := list(paths))
        found = {stored for path in listed for stored in files.stored(path)}
        with self._notebook.write() as connection:
            connection.executemany(
                "DELETE FROM crate_tracks WHERE crate = ? AND path = ?",
                [(crate, os.fsencode(path)) for path in found],
            )
        return len(set(map(files.identity, found)))

    def arrange(self, name: str, order: Sequence[Path]) -> None:
        """Reorder the tracks of a crate; those not named follow in their present order.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        files = self._files(crate, order)
        places: list[tuple[Any, ...]] = [
            (i - len(order), crate, os.fsencode(stored))
            for i, path in enumerate(order)
            for stored in files.stored(path)
        ]
        with self._notebook.write() as connection:
            connection.executemany(
                "UPDATE crate_tracks SET place = ? WHERE crate = ? AND path = ?", places
            )
            # Places start at 0 again, so that tracks added later come last.
            connection.execute(
                "UPDATE crate_tracks SET place = place + ? WHERE crate = ?", (len(order), crate)
            )

    def _files(self, crate: int | None, others: Iterable[Path]) -> _Files:
        rows = self._notebook.read("SELECT path FROM crate_tracks WHERE crate = ?", crate)
        return _Files([Path(os.fsdecode(row[0])) for row in rows], others)

    def _number(self, name: str) -> int:
        crate = self._found(name)
        if crate is None:
            raise LibraryError(f"there is no crate called {name}", Hint.LIST_CRATES)
        return crate

    def _found(self, name: str) -> int | None:
        rows = self._notebook.read("SELECT id FROM crates WHERE name = ?", name)
        return int(rows[0][0]) if rows else None


def _last_place(connection: sqlite3.Connection, crate: int) -> int:
    sql = "SELECT coalesce(max(place), -1) FROM crate_tracks WHERE crate = ?"
    return int(connection.execute(sql, (crate,)).fetchone()[0])


class _Files:
    """Which paths in a crate are the file of another path.

    Those of a disk that hangs are only known by the paths themselves.
    """

    def __init__(self, stored: Sequence[Path], others: Iterable[Path]) -> None:
        self._identities = asked({*stored, *others}, identity)
        self._paths = set(stored)
        self._same: dict[bytes, list[Path]] = {}
        for path in stored:
            self._same.setdefault(self.identity(path), []).append(path)

    def identity(self, path: Path) -> bytes:
        """Equal for paths of one file."""
        return self._identities.get(path, os.fsencode(path))

    def stored(self, path: Path) -> set[Path]:
        """The paths in the crate of the same file."""
        return {*self._same.get(self.identity(path), ()), *({path} & self._paths)}


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
