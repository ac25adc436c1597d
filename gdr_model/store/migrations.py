"""The schema of a database, as numbered migrations that are only ever added to.

`MIGRATIONS` are a library's; the notebook (`notebook.database`) has its own and applies them
with the same `migrate`. `PRAGMA user_version` is the number of migrations applied. A released
migration is never edited, because databases it made exist on users' disks. A database with more
migrations than this program has was written by a newer one and is refused.
"""

from __future__ import annotations

import sqlite3
import time

from gdr_model.errors import LibraryError

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
        """CREATE TABLE tracks (
            path BLOB PRIMARY KEY,   -- relative to the root, as the file system spells it
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            content TEXT NOT NULL,   -- hash of the decoded sound
            duration_s REAL NOT NULL,
            loudness_db REAL,
            title TEXT NOT NULL,
            artist TEXT NOT NULL,
            album TEXT NOT NULL,
            genre TEXT NOT NULL,
            year INTEGER
        ) WITHOUT ROWID""",
        "CREATE INDEX tracks_content ON tracks (content)",
        """CREATE TABLE failures (
            path BLOB PRIMARY KEY,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            reason TEXT NOT NULL,
            at REAL NOT NULL         -- seconds since 1970
        ) WITHOUT ROWID""",
        """CREATE TABLE spaces (
            id INTEGER PRIMARY KEY,
            encoder TEXT NOT NULL,
            dim INTEGER NOT NULL,
            sample_rate_hz INTEGER NOT NULL,
            window_s REAL NOT NULL,
            hop_s REAL NOT NULL,
            fingerprint TEXT NOT NULL,
            UNIQUE (encoder, dim, sample_rate_hz, window_s, hop_s, fingerprint)
        )""",
        """CREATE TABLE latents (
            space INTEGER NOT NULL REFERENCES spaces (id),
            content TEXT NOT NULL,
            first_row INTEGER NOT NULL,   -- into the space's latents file
            rows INTEGER NOT NULL,
            PRIMARY KEY (space, content)
        ) WITHOUT ROWID""",
        """CREATE TABLE passages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used twice
            space INTEGER NOT NULL REFERENCES spaces (id),
            content TEXT NOT NULL,
            start_s REAL NOT NULL,
            end_s REAL NOT NULL,
            mean_row INTEGER NOT NULL     -- into the space's means file
        )""",
        "CREATE INDEX passages_content ON passages (space, content)",
    ),
    (  # finds where the next rows go without reading every track
        "CREATE INDEX latents_row ON latents (space, first_row)",
        "CREATE INDEX passages_row ON passages (space, mean_row)",
    ),
    (
        "ALTER TABLE tracks ADD COLUMN ctime_ns INTEGER",  # NULL: reads its tags again
        "ALTER TABLE tracks ADD COLUMN albumartist TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE tracks ADD COLUMN bpm REAL",
        "ALTER TABLE tracks ADD COLUMN originalyear INTEGER",
        "ALTER TABLE tracks ADD COLUMN key TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE tracks ADD COLUMN comment TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE tracks ADD COLUMN codec TEXT NOT NULL DEFAULT ''",
        # JSON: [[start_s, title, artist], …]
        "ALTER TABLE tracks ADD COLUMN sections TEXT NOT NULL DEFAULT ''",
        # Failures used to be permanent, also those of a disk or network, and more is read now.
        "DELETE FROM failures",
        """CREATE TABLE former (            -- tracks that are gone, for the day they return
            path BLOB PRIMARY KEY,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            content TEXT NOT NULL,
            duration_s REAL NOT NULL,
            loudness_db REAL
        ) WITHOUT ROWID""",
        """CREATE TABLE left_out (          -- by the last scan
            path BLOB PRIMARY KEY,
            reason TEXT NOT NULL,         -- of records.Reason
            kind TEXT NOT NULL
        ) WITHOUT ROWID""",
        # Folders and links with known tracks that were suddenly empty at the last scan.
        "CREATE TABLE absent (path BLOB PRIMARY KEY) WITHOUT ROWID",
        """CREATE TABLE sheets (            -- cue sheets
            path BLOB PRIMARY KEY,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL
        ) WITHOUT ROWID""",
    ),
    (  # CRC-32 of the rows as they are stored; NULL until the next ingest has computed it
        "ALTER TABLE latents ADD COLUMN checksum INTEGER",
        "ALTER TABLE passages ADD COLUMN checksum INTEGER",
        "DROP INDEX passages_row",
        "CREATE INDEX passages_row ON passages (space, mean_row, checksum)",
    ),
)


def prepare(connection: sqlite3.Connection, root: bytes, *, writable: bool = True) -> None:
    """Prepare a library's database: apply migrations, record its root.

    Raises:
        LibraryError: if a newer program wrote it, or an older one and it is not `writable`.
    """
    migrate(connection, MIGRATIONS, "library", writable=writable)
    # Opening an existing library must not write: another program may be in a transaction.
    known = connection.execute("SELECT 1 FROM facts WHERE name = 'generation'").fetchone()
    if writable and not known:
        connection.execute(
            "INSERT OR IGNORE INTO facts (name, value) VALUES ('root', ?), ('generation', 0)",
            (root,),
        )


def migrate(
    connection: sqlite3.Connection,
    migrations: tuple[tuple[str, ...], ...],
    what: str,
    *,
    writable: bool = True,
) -> None:
    """Let readers and a writer work at the same time, and apply missing migrations, all or none.

    Args:
        connection: to the database.
        migrations: SQL statements by migration, oldest first.
        what: the database's name in messages.
        writable: whether it can be changed.

    Raises:
        LibraryError: if a newer program wrote it, or an older one and it is not `writable`.
    """
    if not writable:
        _refuse_other(_version(connection), len(migrations), what)
        return
    _use_wal(connection)
    # Commits are not synced: a power cut can lose the latest ones, but never reorders them.
    connection.execute("PRAGMA synchronous = NORMAL")
    latest = len(migrations)
    if _version(connection) == latest:
        return
    # Check again under the lock: two programs may open a new library at once.
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        _refuse_newer(version, latest, what)
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {latest}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has already ended it
            connection.execute("ROLLBACK")
        raise


def _refuse_newer(version: int, latest: int, what: str) -> None:
    if version > latest:
        raise LibraryError(
            f"a newer gdr wrote this {what} (format {version}, this one reads up to {latest}); "
            "upgrade gdr to open it"
        )


def _refuse_other(version: int, latest: int, what: str) -> None:
    _refuse_newer(version, latest, what)
    if version < latest:
        raise LibraryError(
            f"an older gdr wrote this {what} (format {version}, this one reads {latest}), and it "
            "cannot be brought up to date where it cannot be written"
        )


def _use_wal(connection: sqlite3.Connection, limit_s: float = 10.0) -> None:
    """Use a write-ahead log, so that readers need not wait for a writer; kept in the file.

    SQLite does not wait for this lock, so two programs that open a new library at once would see
    "database is locked".
    """
    deadline = time.monotonic() + limit_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
