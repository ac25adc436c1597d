"""The files of a library as they were last seen: their stamps, tags, failures, what was left out.

Files are named by their keys (see `records.key`). A library opened at a folder inside its root
sees only the files in that folder.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gdr_model import plain
from gdr_model.audio import Tags
from gdr_model.store import statements
from gdr_model.store.database import Database
from gdr_model.store.records import LeftOut, Sound, Stamp, within


class Files:
    """The records of files, for `ingest`. Safe to use from several threads."""

    def __init__(self, database: Database, part: bytes = b"") -> None:
        """Read nothing yet; `part` is the key of the only folder to see, empty for all."""
        self._database = database
        self._range = within(part)

    def stamps(self) -> dict[bytes, tuple[Stamp, Sound]]:
        """Stamp and sound of every track."""
        rows = self._database.read(
            "SELECT path, size, mtime_ns, ctime_ns, content, duration_s, loudness_db FROM tracks "
            f"WHERE {statements.WITHIN}",
            *self._range,
        )
        return {row[0]: (Stamp(*row[1:4]), Sound(*row[4:])) for row in rows}

    def failed_stamps(self) -> dict[bytes, Stamp]:
        """Stamp of every file that could not be read."""
        rows = self._database.read(
            f"SELECT path, size, mtime_ns FROM failures WHERE {statements.WITHIN}", *self._range
        )
        return {row[0]: Stamp(*row[1:]) for row in rows}

    def former(self) -> dict[bytes, tuple[Stamp, Sound]]:
        """Stamp and sound of files that were tracks once and are none now, wherever they were."""
        rows = self._database.read(
            "SELECT path, size, mtime_ns, content, duration_s, loudness_db FROM former"
        )
        return {row[0]: (Stamp(*row[1:3]), Sound(*row[3:])) for row in rows}

    def put_track(self, name: bytes, stamp: Stamp, sound: Sound, tags: Tags) -> None:
        """Store or replace a track, and delete its failure if it has one."""
        with self._database.write() as connection:
            connection.execute(statements.PUT_TRACK, (name, *stamp, *sound, *_values(tags)))
            connection.execute("DELETE FROM failures WHERE path = ?", (name,))
            connection.execute("DELETE FROM former WHERE path = ?", (name,))

    def put_tags(self, read: Iterable[tuple[bytes, Stamp, Tags]]) -> int:
        """Store the tags of tracks whose sound is unchanged; returns how many tags differed."""
        changed = 0
        with self._database.write() as connection:
            for name, stamp, tags in read:
                values = _values(tags)
                before = connection.execute(statements.TAGS, (name,)).fetchone()
                changed += before is not None and tuple(before) != values
                connection.execute(statements.PUT_TAGS, (stamp.ctime_ns, *values, name))
        return changed

    def put_stamps(self, stamps: Mapping[bytes, Stamp]) -> None:
        """Store the stamps of tracks and failures whose files only look different now."""
        rows = [(*stamp, name) for name, stamp in stamps.items()]
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE tracks SET size = ?, mtime_ns = ?, "
                "ctime_ns = CASE WHEN ctime_ns IS NULL THEN NULL ELSE ?3 END WHERE path = ?",
                rows,
            )
            connection.executemany(
                "UPDATE failures SET size = ?, mtime_ns = ? WHERE path = ?",
                [(row[0], row[1], row[3]) for row in rows],
            )

    def put_failure(self, name: bytes, stamp: Stamp, reason: str) -> None:
        """Store why a file could not be read, and delete its track if it has one."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM tracks WHERE path = ?", (name,))
            connection.execute(
                "INSERT OR REPLACE INTO failures (path, size, mtime_ns, reason, at) "
                "VALUES (?, ?, ?, ?, ?)",
                (name, stamp.size, stamp.mtime_ns, reason, time.time()),
            )

    def put_root(self, root: Path) -> None:
        """Record that the files are under another root now."""
        self._database.put_fact("root", os.fsencode(root))

    def take_over(self, other: Files) -> None:
        """Store what another store of the same folder holds, which is newer."""
        with self._database.write() as connection:
            for table, replaced in (
                ("tracks", ("failures", "former")),
                ("failures", ("tracks",)),
                ("former", ("tracks",)),
            ):
                rows = other._database.read(f"SELECT * FROM {table}")
                for each in replaced:
                    paths = [(row[0],) for row in rows]
                    connection.executemany(f"DELETE FROM {each} WHERE path = ?", paths)
                if rows:
                    places = ", ".join("?" * len(rows[0]))
                    connection.executemany(
                        f"INSERT OR REPLACE INTO {table} VALUES ({places})", rows
                    )

    def forget(self, names: Sequence[bytes]) -> None:
        """Delete files that no longer exist.

        Their latents stay, and so does the sound of each, which is known again if the file
        returns with the same size and time.
        """
        with self._database.write() as connection:
            rows = [(name,) for name in names]
            connection.executemany(statements.MAKE_FORMER, rows)
            connection.executemany("DELETE FROM tracks WHERE path = ?", rows)
            connection.executemany("DELETE FROM failures WHERE path = ?", rows)

    # What was found besides the tracks

    def left_out(self) -> list[LeftOut]:
        """Files and folders that the last scan did not take, in the order of their paths."""
        rows = self._database.read(
            f"SELECT path, reason, kind FROM left_out WHERE {statements.WITHIN} ORDER BY path",
            *self._range,
        )
        return [LeftOut.of_row(*row) for row in rows]

    def absent(self) -> list[bytes]:
        """Folders and links that the last scan found empty although tracks are known in them."""
        rows = self._database.read(
            f"SELECT path FROM absent WHERE {statements.WITHIN} ORDER BY path", *self._range
        )
        return [row[0] for row in rows]

    def count_within(self, folder: bytes) -> int:
        """How many tracks are in a folder, at any depth, or are the file of this name."""
        sql = f"SELECT count(*) FROM tracks WHERE path = ?3 OR ({statements.WITHIN})"
        return int(self._database.read(sql, *within(folder), folder)[0][0])

    def sheets(self) -> dict[bytes, Stamp]:
        """The cue sheets that the last scan found."""
        rows = self._database.read(
            f"SELECT path, size, mtime_ns FROM sheets WHERE {statements.WITHIN}", *self._range
        )
        return {row[0]: Stamp(*row[1:]) for row in rows}

    def put_found(self, left_out: Sequence[LeftOut], absent: Sequence[bytes]) -> None:
        """Store what the last scan did not take, if that is not what is stored."""
        if sorted(left_out) != self.left_out():
            with self._database.write() as connection:
                self._delete(connection, "left_out")
                connection.executemany("INSERT OR REPLACE INTO left_out VALUES (?, ?, ?)", left_out)
        if sorted(absent) != self.absent():
            with self._database.write() as connection:
                self._delete(connection, "absent")
                connection.executemany(
                    "INSERT OR REPLACE INTO absent VALUES (?)", [(a,) for a in absent]
                )

    def put_sheets(self, sheets: Mapping[bytes, Stamp]) -> None:
        """Store which cue sheets there are, if that is not what is stored."""
        if self.sheets() == {name: Stamp(*stamp[:2]) for name, stamp in sheets.items()}:
            return
        with self._database.write() as connection:
            self._delete(connection, "sheets")
            connection.executemany(
                "INSERT OR REPLACE INTO sheets VALUES (?, ?, ?)",
                [(name, stamp.size, stamp.mtime_ns) for name, stamp in sheets.items()],
            )

    def _delete(self, connection: sqlite3.Connection, table: str) -> None:
        connection.execute(f"DELETE FROM {table} WHERE {statements.WITHIN}", self._range)

    # Settings of this library alone

    @property
    def excludes(self) -> tuple[str, ...]:
        """Globs of files and folders to leave out, as they were given."""
        return tuple(plain.from_json(self._database.fact("excludes") or "[]"))

    def put_excludes(self, globs: Sequence[str]) -> None:
        """Remember globs of files and folders to leave out, in place of those before."""
        if tuple(globs) != self.excludes:
            self._database.put_fact("excludes", json.dumps(globs))


def _values(tags: Tags) -> tuple[object, ...]:
    """The columns of `statements.TAG_COLUMNS`."""
    sections = [[s.start_s, s.title, s.artist] for s in tags.sections]
    return (
        tags.title, tags.artist, tags.album, tags.genre, tags.year, tags.albumartist, tags.bpm,
        tags.originalyear, tags.key, tags.comment, tags.codec,
        json.dumps(sections) if sections else "",
    )  # fmt: skip
