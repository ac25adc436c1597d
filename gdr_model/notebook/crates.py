"""Crates: named lists of tracks in an order, gathered across queries and libraries.

A track goes by its path and is in a crate once. What its tags said when it was put in is kept
with it, and the passage and the words that found it.
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

LONGEST_NAME = 200


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
    """Where the passage begins that was found."""
    prompt: str = ""
    """The words that found it."""

    @property
    def name(self) -> str:
        """Title if tagged, else the file's name."""
        return self.title or self.path.name


@dataclass(frozen=True)
class Crate:
    """What is known of a crate without reading its tracks."""

    name: str
    count: int
    duration_s: float


class Crates:
    """The crates in a notebook."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook

    def all(self) -> list[Crate]:
        """Every crate, in the order of their names."""
        rows = self._notebook.read(
            "SELECT name, count(path), total(duration_s) FROM crates "
            "LEFT JOIN crate_tracks ON crate = id GROUP BY id ORDER BY name COLLATE NOCASE, name"
        )
        return [Crate(*row) for row in rows]

    def tracks(self, name: str) -> list[CrateTrack]:
        """The tracks of a crate in its order.

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
        """The name of the crate that marks go to; "" while there is none."""
        rows = self._notebook.read(
            "SELECT crates.name FROM facts JOIN crates ON crates.id = value "
            "WHERE facts.name = 'crate'"
        )
        return str(rows[0][0]) if rows else ""

    def choose(self, name: str) -> None:
        """Let marks go to this crate.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        with self._notebook.write() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES ('crate', ?)", (crate,))

    def make(self, name: str) -> None:
        """Make a crate.

        Raises:
            UsageError: if there is one of this name, or it is no name.
        """
        name = checked_name(name)
        with self._notebook.write() as connection:
            try:
                connection.execute(
                    "INSERT INTO crates (name, made_at) VALUES (?, ?)", (name, time.time())
                )
            except sqlite3.IntegrityError:
                raise UsageError(f"there is a crate called {name} already") from None

    def rename(self, name: str, to: str) -> None:
        """Call a crate something else.

        Raises:
            LibraryError: if there is no such crate.
            UsageError: if another one has the new name, or it is no name.
        """
        crate, to = self._number(name), checked_name(to)
        with self._notebook.write() as connection:
            try:
                connection.execute("UPDATE crates SET name = ? WHERE id = ?", (to, crate))
            except sqlite3.IntegrityError:
                raise UsageError(f"there is a crate called {to} already") from None

    def delete(self, name: str) -> None:
        """Take a crate away, with the list of its tracks; no file is touched.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        with self._notebook.write() as connection:
            connection.execute("DELETE FROM crates WHERE id = ?", (crate,))

    def add(self, name: str, tracks: Iterable[CrateTrack]) -> int:
        """Put tracks at the end of a crate; returns how many were not in it yet.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate, now = self._number(name), time.time()
        with self._notebook.write() as connection:
            place = _last_place(connection, crate) + 1
            before = connection.total_changes
            connection.executemany(
                "INSERT OR IGNORE INTO crate_tracks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (crate, os.fsencode(t.path), place + i, t.title, t.artist, t.album, t.genre,
                     t.duration_s, t.start_s, t.prompt, now)
                    for i, t in enumerate(tracks)
                ),
            )  # fmt: skip
            return connection.total_changes - before

    def remove(self, name: str, paths: Iterable[Path]) -> int:
        """Take tracks out of a crate; returns how many were in it.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        with self._notebook.write() as connection:
            before = connection.total_changes
            connection.executemany(
                "DELETE FROM crate_tracks WHERE crate = ? AND path = ?",
                ((crate, os.fsencode(path)) for path in paths),
            )
            return connection.total_changes - before

    def arrange(self, name: str, order: Sequence[Path]) -> None:
        """Put the tracks of a crate in this order; those not named keep their own, behind.

        Raises:
            LibraryError: if there is no such crate.
        """
        crate = self._number(name)
        with self._notebook.write() as connection:
            places: list[tuple[Any, ...]] = [
                (i - len(order), crate, os.fsencode(path)) for i, path in enumerate(order)
            ]
            connection.executemany(
                "UPDATE crate_tracks SET place = ? WHERE crate = ? AND path = ?", places
            )
            # Back to places from 0 on, so that what is added comes last.
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


def checked_name(name: str) -> str:
    """A name without blanks around it.

    Raises:
        UsageError: if nothing is left, or too much.
    """
    name = name.strip()
    if not name:
        raise UsageError("a crate needs a name")
    if len(name) > LONGEST_NAME:
        raise UsageError(f"a crate's name has at most {LONGEST_NAME} characters")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UsageError("a crate's name must be valid UTF-8; type it anew") from None
    return name
