"""The store of one music folder: its tracks, and the latents of their sound.

    library.db    SQLite, WAL: tracks (by path), failures, spaces, latents, passages
    latents/      two files of rows for each space (see `latent_files`)

Tracks belong to paths, latents to content: a moved or copied file keeps its latents, and
latents outlive their file in case it returns. Rows are on disk before the database row that
points at them is committed, so a crash leaves at worst a tail that no row points at, and the next
append overwrites it. One program writes at a time (`ingest` holds a lock); any number can read.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdr_model.audio import Tags
from gdr_model.errors import Hint, LibraryError
from gdr_model.paths import store_of
from gdr_model.store import filters, lock, statements
from gdr_model.store.latent_files import LatentFiles
from gdr_model.store.migrations import prepare
from gdr_model.store.records import Failure, Passages, Sound, Stamp, key, passage_bounds, shown
from gdr_model.store.rows import RowFile
from gdr_model.types import Array, LatentSpace, Section, Track


class Library:
    """One music folder's store. Safe to use from several threads."""

    def __init__(self, root: Path, store: Path, connection: sqlite3.Connection) -> None:
        """Use `Library.open`."""
        self.root = root
        self.store = store
        self._connection = connection
        self._lock = threading.RLock()
        self._tracks: tuple[int, dict[Any, Track]] = (-1, {})
        self._files = LatentFiles(store / "latents")

    @classmethod
    def open(cls, root: Path, *, create: bool = False, store: Path | None = None) -> Library:
        """The library of a folder, kept in `store` instead of the user's own stores if given.

        Raises:
            LibraryError: if there is none yet (and `create` is false), if it is damaged, or if
                a newer program wrote it.
        """
        # Not `resolve`: results keep the spelling the user gave, symbolic links included.
        root = Path(os.path.abspath(root.expanduser()))
        store = store or store_of(root)
        database = store / "library.db"
        if not database.exists():
            if not create:
                raise LibraryError(f"no library at {shown(root)} yet", Hint.INDEX, root=root)
            if not root.is_dir():
                raise LibraryError(f"{shown(root)} is not a folder")
        try:
            (store / "latents").mkdir(parents=True, exist_ok=True)
            with ExitStack() as on_error:
                connection = sqlite3.connect(
                    database, timeout=30, isolation_level=None, check_same_thread=False
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
        return cls(root, store, connection)

    def close(self) -> None:
        """Close the store; the library cannot be used afterwards."""
        with self._lock:
            self._files.close()
            self._connection.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What it holds

    @property
    def generation(self) -> int:
        """Increases with every change, whichever program makes it."""
        return int(self._read("SELECT value FROM facts WHERE name = 'generation'")[0][0])

    def is_being_indexed(self) -> bool:
        """Whether any program, including this one, is indexing the folder right now."""
        return lock.is_held(self.store)

    def count(self) -> int:
        """How many tracks there are."""
        return int(self._read("SELECT count(*) FROM tracks")[0][0])

    def first(self, count: int) -> list[Track]:
        """The first tracks in the order of their paths; all of a large library take a second."""
        return [self._track(row) for row in self._read(f"{statements.TRACKS} LIMIT ?", count)]

    def tracks(self, where: str | None = None) -> list[Track]:
        """The tracks in the order of their paths: all, or those a filter keeps (see `filters`).

        Raises:
            UsageError: if the filter is invalid.
        """
        keeps = filters.parse(where) if where is not None else None
        with self._lock:
            generation = self.generation
            if self._tracks[0] != generation:
                # Making a Track takes longer than reading its row, so unchanged ones are
                # reused: while a folder is being indexed this is called all the time.
                before, rows = self._tracks[1], self._read(statements.TRACKS)
                now = {row: before.get(row) or self._track(row) for row in rows}
                self._tracks = (generation, now)
            tracks = list(self._tracks[1].values())
        if keeps is None:
            return tracks
        start = len(str(self.root / "x")) - 1
        return [t for t in tracks if keeps(t, str(t.path)[start:].replace(os.sep, "/"))]

    def track(self, path: Path) -> Track | None:
        """The track of a file, whichever way its path is spelled."""
        for spelled, root in (
            (os.path.abspath(path), str(self.root)),
            (os.path.realpath(path), os.path.realpath(self.root)),
        ):
            if spelled.startswith(root.rstrip(os.sep) + os.sep):
                rows = self._read(statements.TRACK, key(os.path.relpath(spelled, root)))
                if rows:
                    return self._track(rows[0])
        return None

    def contents(self, where: str | None = None) -> set[str]:
        """The contents of the tracks: all, or those a filter keeps."""
        return {track.content for track in self.tracks(where)}

    def values(self, field: str) -> list[tuple[str, int]]:
        """The values of artist, album, genre or year, with the number of tracks of each."""
        return [(str(value), count) for value, count in self._read(statements.VALUES[field])]

    def failures(self) -> list[Failure]:
        """The files that could not be read, in the order of their paths."""
        rows = self._read("SELECT path, reason, at FROM failures ORDER BY path")
        return [Failure(self.path(row[0]), row[1], row[2]) for row in rows]

    def spaces(self) -> list[LatentSpace]:
        """The spaces of this library's latents, oldest first."""
        rows = self._read(
            "SELECT encoder, dim, sample_rate_hz, window_s, hop_s, fingerprint "
            "FROM spaces ORDER BY id"
        )
        return [LatentSpace(*row) for row in rows]

    def has_latents(self, content: str, space: LatentSpace) -> bool:
        """Whether a content has latents in a space."""
        sql = "SELECT 1 FROM latents WHERE space = ? AND content = ?"
        return bool(self._read(sql, self._number(space), content))

    def encoded(self, space: LatentSpace) -> set[str]:
        """The contents with latents in a space, whether or not a track still has them."""
        number = self._number(space)
        return {row[0] for row in self._read("SELECT content FROM latents WHERE space = ?", number)}

    def latents(self, content: str, space: LatentSpace) -> Array:
        """The latents (T, D) of one content.

        Raises:
            LibraryError: if it has none in this space, or their file is damaged.
        """
        rows = self._read(
            "SELECT first_row, rows FROM latents WHERE space = ? AND content = ?",
            self._number(space),
            content,
        )
        if not rows:
            raise LibraryError(f"no latents of {space} yet", Hint.INDEX, root=self.root)
        return self._stored(self._files.of(space).latents, space, slice(rows[0][0], sum(rows[0])))

    def passages(self, space: LatentSpace, after: int = 0) -> Passages:
        """The passages with an id above `after` whose content some track has.

        Raises:
            LibraryError: if the file of their means is damaged.
        """
        rows = self._read(statements.PASSAGES, self._number(space), after)
        positions = np.array([row[4] for row in rows], np.int64)
        means = self._stored(self._files.of(space).means, space, positions)
        if not np.isfinite(means).all():
            raise self._damaged("some numbers are NaN or infinity")
        return Passages(
            np.array([row[0] for row in rows], np.int64),
            [row[1] for row in rows],
            np.array([row[2] for row in rows], np.float32),
            np.array([row[3] for row in rows], np.float32),
            means,
        )

    # For `ingest`; files are named by their keys (see `records.key`)

    def path(self, name: bytes) -> Path:
        """The absolute path of a key."""
        return self.root / os.fsdecode(name)

    def stamps(self) -> dict[bytes, tuple[Stamp, Sound]]:
        """Stamp and sound of every track."""
        rows = self._read(
            "SELECT path, size, mtime_ns, content, duration_s, loudness_db FROM tracks"
        )
        return {row[0]: (Stamp(*row[1:3]), Sound(*row[3:])) for row in rows}

    def failed_stamps(self) -> dict[bytes, Stamp]:
        """Stamp of every file that could not be read."""
        rows = self._read("SELECT path, size, mtime_ns FROM failures")
        return {row[0]: Stamp(*row[1:]) for row in rows}

    def put_track(self, name: bytes, stamp: Stamp, sound: Sound, tags: Tags) -> None:
        """Store or replace a track, and delete its failure if it has one."""
        sections = [[s.start_s, s.title, s.artist] for s in tags.sections]
        values = (
            tags.title, tags.artist, tags.album, tags.genre, tags.year, tags.albumartist, tags.bpm,
            tags.originalyear, tags.key, tags.comment, tags.codec,
            json.dumps(sections) if sections else "",
        )  # fmt: skip
        with self._write() as connection:
            connection.execute(statements.PUT_TRACK, (name, *stamp, *sound, *values))
            connection.execute("DELETE FROM failures WHERE path = ?", (name,))

    def put_failure(self, name: bytes, stamp: Stamp, reason: str) -> None:
        """Store why a file could not be read, and delete its track if it has one."""
        with self._write() as connection:
            connection.execute("DELETE FROM tracks WHERE path = ?", (name,))
            connection.execute(
                "INSERT OR REPLACE INTO failures (path, size, mtime_ns, reason, at) "
                "VALUES (?, ?, ?, ?, ?)",
                (name, *stamp, reason, time.time()),
            )

    def forget(self, names: Sequence[bytes]) -> None:
        """Delete files that no longer exist; their latents stay."""
        with self._write() as connection:
            rows = [(name,) for name in names]
            connection.executemany("DELETE FROM tracks WHERE path = ?", rows)
            connection.executemany("DELETE FROM failures WHERE path = ?", rows)

    def put_latents(self, sound: Sound, space: LatentSpace, latents: Array) -> None:
        """Store the latents (T, D) of a content and its passages, if it has none yet.

        Raises:
            LibraryError: if they do not fit the space, or the disk is full.
        """
        if latents.ndim != 2 or latents.shape[1] != space.dim or not len(latents):
            raise LibraryError(f"{space} gave latents of shape {latents.shape}")
        if not np.isfinite(latents).all():
            raise LibraryError(f"{space} gave latents that are NaN or infinity")
        bounds = passage_bounds(len(latents))
        means = np.stack([latents[a:b].mean(axis=0, dtype=np.float64) for a, b in bounds])
        # The last latent can end after the last sample, or before it.
        ends_s = [*(float(b) for _, b in bounds[:-1]), sound.duration_s]
        with self._write() as connection:
            number = self._number(space)
            if number is None:
                connection.execute(
                    "INSERT INTO spaces (encoder, dim, sample_rate_hz, window_s, hop_s, "
                    "fingerprint) VALUES (?, ?, ?, ?, ?, ?)",
                    astuple(space),
                )
                number = self._number(space)
            first, mean = (end or 0 for end in self._read(statements.ENDS, number)[0])
            inserted = connection.execute(
                "INSERT OR IGNORE INTO latents (space, content, first_row, rows) "
                "VALUES (?, ?, ?, ?)",
                (number, sound.content, first, len(latents)),
            )
            if not inserted.rowcount:
                return
            files = self._files.of(space)
            files.latents.write(first, latents)
            files.means.write(mean, means)
            connection.executemany(
                "INSERT INTO passages (space, content, start_s, end_s, mean_row) "
                "VALUES (?, ?, ?, ?, ?)",
                [
                    (number, sound.content, start, end_s, mean + i)
                    for i, ((start, _), end_s) in enumerate(zip(bounds, ends_s, strict=True))
                ],
            )

    def drop_damaged(self, space: LatentSpace) -> int:
        """Delete latents beyond the end of their files, and those with means that are not finite.

        The next ingest encodes them again. Returns how many contents lost their latents.
        """
        number = self._number(space)
        if number is None:
            return 0
        files = self._files.of(space)
        lengths = len(files.latents), len(files.means)
        lost = {row[0] for row in self._read(statements.DAMAGED, number, *lengths)}
        whole = [row for row in self._read(statements.PASSAGES, number, 0) if row[1] not in lost]
        means = self._stored(files.means, space, np.array([row[4] for row in whole], np.int64))
        broken = np.flatnonzero(~np.isfinite(means).all(axis=1))
        damaged = [(number, content) for content in lost | {whole[row][1] for row in broken}]
        if damaged:
            with self._write() as connection:
                for statement in (
                    "DELETE FROM latents WHERE space = ? AND content = ?",
                    "DELETE FROM passages WHERE space = ? AND content = ?",
                ):
                    connection.executemany(statement, damaged)
        return len(damaged)

    def touch(self) -> None:
        """Record that the library was indexed just now, even if nothing changed."""
        with self._write():
            pass

    # Database and files

    def _track(self, row: tuple[Any, ...]) -> Track:
        path, values, parts = row[0], row[1:-1], row[-1]
        sections = tuple(Section(*part) for part in json.loads(parts)) if parts else ()
        fields: tuple[Any, ...] = (self.path(path), *values, sections)
        return Track(*fields)

    def _read(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            try:
                return self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise LibraryError(
                    f"the library of {shown(self.root)} cannot be read: {error}"
                ) from error

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is committed whole or not at all, and counts as one change."""
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
                    f"the library of {shown(self.root)} cannot be written: {error}"
                ) from error

    def _number(self, space: LatentSpace) -> int | None:
        rows = self._read(statements.SPACE, *astuple(space))
        return int(rows[0][0]) if rows else None

    def _stored(
        self, file: RowFile, space: LatentSpace, positions: NDArray[np.int64] | slice
    ) -> Array:
        """Rows (N, D) of a file."""
        if not isinstance(positions, slice) and not positions.size:
            return np.empty((0, space.dim), np.float32)
        try:
            with self._lock:
                return file.read(positions)
        except (IndexError, OSError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> LibraryError:
        return LibraryError(
            f"the stored latents of {shown(self.root)} are damaged ({why})",
            Hint.INDEX_AGAIN,
            root=self.root,
        )
