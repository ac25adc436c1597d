"""The database of a library: reads, and transactions that count as one change each."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from gdr_model.errors import Hint, LibraryError
from gdr_model.store.migrations import prepare
from gdr_model.store.records import shown


class Database:
    """A connection and its lock. Safe to use from several threads."""

    def __init__(self, connection: sqlite3.Connection, root: Path) -> None:
        """Use `Database.open`."""
        self._connection = connection
        self._root = root
        self._lock = threading.RLock()

    @classmethod
    def open(cls, store: Path, root: Path) -> Database:
        """The database in a store, created with its tables if there is none.

        Args:
            store: its folder.
            root: the music folder it describes, recorded when it is created.

        Raises:
            LibraryError: if it is damaged, cannot be written, or a newer program wrote it.
        """
        try:
            (store / "latents").mkdir(parents=True, exist_ok=True)
            with ExitStack() as on_error:
                connection = sqlite3.connect(
                    store / "library.db", timeout=30, isolation_level=None, check_same_thread=False
                )
                on_error.callback(connection.close)
                prepare(connection, os.fsencode(root))
                on_error.pop_all()
        except OSError as error:
            raise LibraryError(f"{shown(store)} cannot be written: {error.strerror}") from error
        except sqlite3.Error as error:
            raise LibraryError(
                f"the library of {shown(root)} cannot be opened ({error})",
                Hint.REPLACE_LIBRARY,
                root=root,
                store=store,
            ) from error
        return cls(connection, root)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    @property
    def generation(self) -> int:
        """Increases with every change, whichever program makes it."""
        return int(self.fact("generation"))

    def fact(self, name: str) -> Any:
        """A fact about the library as a whole; None if it has none of this name."""
        rows = self.read("SELECT value FROM facts WHERE name = ?", name)
        return rows[0][0] if rows else None

    def put_fact(self, name: str, value: object) -> None:
        """Record a fact about the library as a whole."""
        with self.write() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def read(self, sql: str, *values: object) -> list[Any]:
        """All rows that a statement selects.

        Raises:
            LibraryError: if the file is damaged.
        """
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise LibraryError(
                    f"the library of {shown(self._root)} cannot be read: {error}"
                ) from error

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed whole or not at all, and counts as one change.

        Raises:
            LibraryError: if the disk is full or another program has locked the file.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute(
                        "UPDATE facts SET value = value + 1 WHERE name = 'generation'"
                    )
                    self._connection.execute(
                        "INSERT OR REPLACE INTO facts VALUES ('indexed_at', ?)", (time.time(),)
                    )
                    self._connection.execute("COMMIT")
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
            except (sqlite3.Error, OSError) as error:
                raise LibraryError(
                    f"the library of {shown(self._root)} cannot be written: {error}"
                ) from error
