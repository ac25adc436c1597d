"""Open a SQLite file: to write where that is possible, else to read, also on a read-only disk."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from gdr_model.errors import LibraryError, StoreUnavailable, first_line

FAULTS = (sqlite3.Error, UnicodeDecodeError)
"""What a damaged or unavailable file raises; a damaged schema can be quoted in no valid text."""


def why(error: Exception) -> str:
    """What SQLite says is wrong, in one line: it can quote a statement of many."""
    return "its schema is damaged" if isinstance(error, UnicodeDecodeError) else first_line(error)


def refusal(error: Exception) -> type[LibraryError]:
    """The class of error: SQLite's operational errors are those of the machine, such as a lock."""
    operational = sqlite3.OperationalError, OSError
    return StoreUnavailable if isinstance(error, operational) else LibraryError


def can_be_written(file: Path) -> bool:
    """Whether a database can be changed, or made where there is none yet."""
    return not file.exists() or (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


def connect(file: Path, patience_s: float) -> sqlite3.Connection:
    """A connection that commits what is asked for, usable from any thread.

    Args:
        file: the database; one that cannot be written is opened to be read.
        patience_s: how long to wait for another program that has locked it.

    Raises:
        sqlite3.Error: if it cannot be opened, or, where it cannot be written, is no database.
    """
    if can_be_written(file):
        return _connect(str(file), patience_s)
    address = f"{file.absolute().as_uri()}?mode=ro"
    try:
        return _readable(_connect(address, patience_s))
    except sqlite3.OperationalError:
        # Without its log and the memory they share nobody has it open, and nobody can from here.
        log = Path(f"{file}-wal")
        if log.exists() and log.stat().st_size:
            raise
        return _readable(_connect(f"{address}&immutable=1", patience_s))


def _connect(address: str, patience_s: float) -> sqlite3.Connection:
    return sqlite3.connect(
        address,
        timeout=patience_s,
        isolation_level=None,
        check_same_thread=False,
        uri=address.startswith("file:"),
    )


def _readable(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The same connection, once it has read something; closed otherwise."""
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
