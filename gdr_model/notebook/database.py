"""The database of what users make and indexing cannot restore: trails and crates.

    notebook.db    SQLite, WAL, in gdr's data folder next to the libraries' stores

It is a separate file because trails and crates can span several libraries, and because a
library's store can be deleted and made again. Its migrations, too, are only ever added to. Any
number of programs can use it at once.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from gdr_model.errors import LibraryError, StoreUnavailable
from gdr_model.paths import home
from gdr_model.private import make_private
from gdr_model.store.disk.connection import FAULTS, can_be_written, connect, refusal, why
from gdr_model.store.migrations import migrate
from gdr_model.store.records import shown

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
        """CREATE TABLE trails (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            roots BLOB NOT NULL UNIQUE,   -- the music folders, sorted, NUL between them
            stands_on INTEGER             -- the query this trail was left at
        )""",
        """CREATE TABLE queries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            trail INTEGER NOT NULL REFERENCES trails (id),
            parent INTEGER REFERENCES queries (id),
            name TEXT NOT NULL,           -- given by the user, or ""
            away INTEGER NOT NULL,        -- 1: hidden, with all that came from it
            steering TEXT NOT NULL,       -- JSON of steering.Steering
            filter TEXT NOT NULL,
            tracks_searched INTEGER NOT NULL,
            agreement REAL NOT NULL,
            asked_at REAL NOT NULL,       -- seconds since 1970
            seen_at REAL NOT NULL
        )""",
        "CREATE INDEX queries_trail ON queries (trail)",
        """CREATE TABLE hits (
            query INTEGER NOT NULL REFERENCES queries (id),
            rank INTEGER NOT NULL,
            path BLOB NOT NULL,           -- absolute, as the file system spells it
            title TEXT NOT NULL,
            artist TEXT NOT NULL,
            duration_s REAL NOT NULL,
            start_s REAL NOT NULL,
            end_s REAL NOT NULL,
            score REAL NOT NULL,
            votes INTEGER NOT NULL,
            PRIMARY KEY (query, rank)
        ) WITHOUT ROWID""",
        """CREATE TABLE crates (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            made_at REAL NOT NULL
        )""",
        """CREATE TABLE crate_tracks (
            crate INTEGER NOT NULL REFERENCES crates (id) ON DELETE CASCADE,
            path BLOB NOT NULL,
            place INTEGER NOT NULL,
            title TEXT NOT NULL,          -- tags as they were when it was marked, so that a
            artist TEXT NOT NULL,         -- crate can be read where its disk is not mounted
            album TEXT NOT NULL,
            genre TEXT NOT NULL,
            duration_s REAL NOT NULL,
            start_s REAL NOT NULL,        -- the passage that was found
            prompt TEXT NOT NULL,         -- by these words
            added_at REAL NOT NULL,
            PRIMARY KEY (crate, path)
        ) WITHOUT ROWID""",
    ),
    (
        "ALTER TABLE queries ADD COLUMN per_artist INTEGER NOT NULL DEFAULT 0",  # 0: any number
        "ALTER TABLE queries ADD COLUMN per_album INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE hits ADD COLUMN section TEXT NOT NULL DEFAULT ''",  # its title
        "ALTER TABLE hits ADD COLUMN copies BLOB NOT NULL DEFAULT x''",  # paths, NUL between them
    ),
)


class Notebook:
    """The database and its lock. Safe to use from several threads."""

    def __init__(self, file: Path, connection: sqlite3.Connection) -> None:
        """Use `Notebook.open`."""
        self.file = file
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, file: Path | None = None, *, patience_s: float = 10) -> Notebook:
        """The user's notebook, created at its first use; to be read where it cannot be written.

        Args:
            file: its path; None for the one in gdr's data folder.
            patience_s: how long to wait for another program that has locked it.

        Raises:
            StoreUnavailable: if another program has locked it or the disk is full.
            LibraryError: if it is damaged, or a newer program wrote it.
        """
        file = file or home() / "notebook.db"
        try:
            if writable := can_be_written(file):
                make_private(file.parent)
            with ExitStack() as on_error:
                connection = connect(file, patience_s)
                on_error.callback(connection.close)
                connection.execute("PRAGMA foreign_keys = ON")
                migrate(connection, MIGRATIONS, "notebook", writable=writable)
                on_error.pop_all()
        except OSError as error:
            raise StoreUnavailable(f"{shown(file)} cannot be written: {error.strerror}") from error
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"{shown(file)} cannot be opened: {why(error)}") from error
        except FAULTS as error:
            raise LibraryError(
                f"the trails and crates in {shown(file)} cannot be opened ({why(error)}); if this "
                "persists, move that file away"
            ) from error
        return cls(file, connection)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Notebook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, sql: str, *values: object) -> list[Any]:
        """All rows that a statement selects.

        Raises:
            StoreUnavailable: if another program has locked the file.
            LibraryError: if it is damaged.
        """
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except FAULTS as error:
                raise refusal(error)(f"{shown(self.file)} cannot be read: {why(error)}") from error

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed whole or not at all.

        Raises:
            StoreUnavailable: if the disk is full or another program has locked the file.
            LibraryError: if it is damaged.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:  # a full disk has already ended it
                        self._connection.execute("ROLLBACK")
                    raise
            except FAULTS as error:
                raise refusal(error)(
                    f"{shown(self.file)} cannot be written: {why(error)}"
                ) from error
