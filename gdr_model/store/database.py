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

from gdr_model.errors import Hint, LibraryError, first_line
from gdr_model.private import make_private
from gdr_model.store.disk.connection import FAULTS, can_be_written, connect, refusal, why
from gdr_model.store.migrations import prepare
from gdr_model.store.records import shown

_CHUNK = 10_000


class Database:
    """A connection and its lock. Safe to use from several threads."""

    def __init__(self, connection: sqlite3.Connection, store: Path, root: Path) -> None:
        """Use `Database.open`."""
        self._connection = connection
        self._store = store
        self._root = root
        self._lock = threading.RLock()

    @classmethod
    def open(cls, store: Path, root: Path) -> Database:
        """The database in a store, created with its tables if there is none.

        One that cannot be written, on a read-only disk for example, is opened to be read.

        Args:
            store: its folder.
            root: the music folder it describes, recorded when it is created.

        Raises:
            LibraryError: if it is damaged, cannot be made, or another version wrote it.
            StoreUnavailable: if another program has locked it or the disk is full.
        """
        file = store / "library.db"
        try:
            if writable := can_be_written(file):
                make_private(store / "latents")
            with ExitStack() as on_error:
                connection = connect(file, patience_s=30)
                on_error.callback(connection.close)
                prepare(connection, os.fsencode(root), writable=writable)
                on_error.pop_all()
        except OSError as error:
            raise LibraryError(f"{shown(store)} cannot be written: {error.strerror}") from error
        except FAULTS as error:
            raise _refused(error, f"cannot be opened ({why(error)})", store, root) from error
        return cls(connection, store, root)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    @property
    def generation(self) -> int:
        """Increases with every change, whichever program makes it."""
        return int(self.fact("generation"))

    @property
    def stamp(self) -> str:
        """Equal only for databases that hold the same: what changed last, and when."""
        return f"{self.fact('generation')} {self.fact('indexed_at')!r}"

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
            StoreUnavailable: if another program has locked it, or the disk fails.
        """
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except FAULTS as error:
                said = f"cannot be read: {why(error)}"
                raise _refused(error, said, self._store, self._root) from error

    def chunks(self, sql: str, *values: object) -> Iterator[list[Any]]:
        """The rows that a statement selects, some thousands at a time.

        No other thread reads or writes until the last of them has been taken.

        Raises:
            LibraryError: if the file is damaged.
        """
        with self._lock:
            try:
                found = self._connection.execute(sql, values)
                while rows := found.fetchmany(_CHUNK):
                    yield rows
            except FAULTS as error:
                said = f"cannot be read: {why(error)}"
                raise _refused(error, said, self._store, self._root) from error

    @contextmanager
    def trusting(self) -> Iterator[None]:
        """Use values as what they were when they were stored. SQLite does not check them.

        Raises:
            LibraryError: if one is not; only damage can have done that.
        """
        try:
            yield
        except (TypeError, ValueError, OverflowError) as error:
            said = "cannot be read: a value is not what was stored"
            raise _refused(error, said, self._store, self._root) from error

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed whole or not at all, and counts as one change.

        Inside another one it is a part of that.

        Raises:
            LibraryError: if the file is damaged.
            StoreUnavailable: if the disk is full or another program has locked the file.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
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
                    if self._connection.in_transaction:  # a full disk has already ended it
                        self._connection.execute("ROLLBACK")
                    raise
            except (*FAULTS, OSError) as error:
                raise refusal(error)(
                    f"the library of {shown(self._root)} cannot be written: {first_line(error)}"
                ) from error


def _refused(error: Exception, said: str, store: Path, root: Path) -> LibraryError:
    """The error for a database that cannot be read."""
    sentence = f"the library of {shown(root)} {said}"
    return refusal(error)(sentence, Hint.REPLACE_LIBRARY, root=root, store=store)
