"""The latents of a library and their passages, by the content of the sound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import Hint, LibraryError
from gdr_model.store import statements
from gdr_model.store.database import Database
from gdr_model.store.disk.checking import Checking, checksum
from gdr_model.store.latent_files import LatentFiles
from gdr_model.store.records import Contents, Passages, Sound, as_names, passage_bounds, shown
from gdr_model.store.rows import RowFile
from gdr_model.types import Array, Cancel, LatentSpace, never


class Latents:
    """What encoders made of the sound of a library. Safe to use from several threads."""

    def __init__(self, database: Database, folder: Path, root: Path) -> None:
        """Open nothing yet.

        Args:
            database: says which rows belong to which content.
            folder: of the files of rows.
            root: the music folder, for messages.
        """
        self._database = database
        self._files = LatentFiles(folder)
        self._checking = Checking(database, folder)
        self._root = root
        self._unsynced: set[RowFile] | None = None
        """Files to be synced at the end of a transaction of several changes, while there is one."""

    def spaces(self) -> list[LatentSpace]:
        """The spaces there are latents of, oldest first."""
        rows = self._database.read(
            "SELECT encoder, dim, sample_rate_hz, window_s, hop_s, fingerprint "
            "FROM spaces ORDER BY id"
        )
        return [LatentSpace(*row) for row in rows]

    def has(self, content: str, space: LatentSpace) -> bool:
        """Whether a content has latents in a space."""
        sql = "SELECT 1 FROM latents WHERE space = ? AND content = ?"
        return bool(self._database.read(sql, self._number(space), content))

    def encoded(self, space: LatentSpace) -> set[str]:
        """The contents with latents in a space, whether or not a track still has them."""
        sql = "SELECT content FROM latents WHERE space = ?"
        return {row[0] for row in self._database.read(sql, self._number(space))}

    def of(self, content: str, space: LatentSpace) -> Array:
        """The latents (T, D) of one content.

        Raises:
            LibraryError: if it has none in this space, or their file is damaged.
        """
        rows = self._database.read(
            "SELECT first_row, rows, checksum FROM latents WHERE space = ? AND content = ?",
            self._number(space),
            content,
        )
        if not rows:
            raise LibraryError(f"no latents of {space} yet", Hint.INDEX, root=self._root)
        first, count, sum_ = rows[0]
        with self._database.trusting():
            which = slice(first, first + count)
            latents = self._stored(self._files.of(space).latents, space, which)
        if sum_ is not None and checksum(latents, "<f2") != sum_:
            raise self._damaged("they are not those that were stored")
        return latents

    def passages(self, space: LatentSpace, after: int = 0) -> Passages:
        """The passages with an id above `after` whose content some track has.

        Their means are not read yet. Reading them raises a LibraryError if their file is
        damaged.
        """
        columns: list[tuple[NDArray[Any], ...]] = []
        known: dict[str, int] = {}
        for rows in self._database.chunks(statements.PASSAGES, self._number(space), after):
            ids, contents, starts_s, ends_s, mean_rows = zip(*rows, strict=True)
            with self._database.trusting():
                columns.append((
                    np.array(ids, np.int64),
                    np.array([known.setdefault(c, len(known)) for c in contents], np.int32),
                    np.array(starts_s, np.float32),
                    np.array(ends_s, np.float32),
                    np.array(mean_rows, np.int64),
                ))  # fmt: skip
        joined = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
        kinds = np.int64, np.int32, np.float32, np.float32, np.int64
        ids_, codes, starts, ends, means = joined or [np.empty(0, kind) for kind in kinds]
        return self.table(space, ids_, Contents(as_names(known), codes), starts, ends, means)

    def still_has(self, space: LatentSpace, ids: NDArray[np.int64]) -> bool:
        """Whether the passages up to the last of some ids are still exactly these."""
        number, last = self._number(space), int(ids[-1])
        count, total, mixed = self._database.read(statements.SAME_PASSAGES, number, last)[0]
        spread = ids * np.int64(statements.MIXER) % np.int64(statements.MODULUS)
        return bool((count, total, mixed) == (len(ids), int(ids.sum()), int(spread.sum())))

    def table(
        self,
        space: LatentSpace,
        ids: NDArray[np.int64],
        contents: Contents,
        starts_s: Array,
        ends_s: Array,
        mean_rows: NDArray[np.int64],
    ) -> Passages:
        """Passages whose means are read from the file of a space when they are asked for."""

        def read_means(positions: NDArray[np.int64], checked: bool) -> Array:
            if checked:
                return self._means(space, positions)
            return self._stored(self._files.of(space).means, space, positions)

        return Passages(ids, contents, starts_s, ends_s, mean_rows, read_means)

    def put(self, sound: Sound, space: LatentSpace, latents: Array) -> None:
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
        with self._database.write() as connection:
            number = self._number(space)
            if number is None:
                connection.execute(
                    "INSERT INTO spaces (encoder, dim, sample_rate_hz, window_s, hop_s, "
                    "fingerprint) VALUES (?, ?, ?, ?, ?, ?)",
                    astuple(space),
                )
                number = self._number(space)
            first, mean = (end or 0 for end in self._database.read(statements.ENDS, number)[0])
            inserted = connection.execute(
                "INSERT OR IGNORE INTO latents (space, content, first_row, rows, checksum) "
                "VALUES (?, ?, ?, ?, ?)",
                (number, sound.content, first, len(latents), checksum(latents, "<f2")),
            )
            if not inserted.rowcount:
                return
            files = self._files.of(space)
            at_once = self._unsynced is None
            files.latents.write(first, latents, sync=at_once)
            files.means.write(mean, means, sync=at_once)
            if self._unsynced is not None:
                self._unsynced.update(files)
            connection.executemany(
                "INSERT INTO passages (space, content, start_s, end_s, mean_row, checksum) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (number, sound.content, start, end_s, mean + i, checksum(means[i], "<f4"))
                    for i, ((start, _), end_s) in enumerate(zip(bounds, ends_s, strict=True))
                ],
            )

    @contextmanager
    def synced_once(self) -> Iterator[None]:
        """Wait for the disk once for all rows that are put meanwhile, in one transaction."""
        self._unsynced = set()
        try:
            yield
            for file in self._unsynced:
                file.sync()
        finally:
            self._unsynced = None

    def damaged(self, space: LatentSpace) -> int:
        """How many contents have latents that are not those that were stored; reads them all."""
        number = self._number(space)
        if number is None:
            return 0
        with self._reading():
            found = self._checking.damaged(number, self._files.of(space), whole=True)
        if found:
            self._checking.leave_note()
        return len(found)

    def drop_damaged(self, space: LatentSpace, cancelled: Cancel = never) -> int:
        """Delete latents that are not those that were stored; the next ingest encodes them again.

        What an earlier version stored gets its checksums. Returns how many contents lost their
        latents. While `cancelled` blocks, the check rests.

        Raises:
            Cancelled: when asked.
        """
        number = self._number(space)
        if number is None:
            return 0
        files = self._files.of(space)
        with self._reading():
            found = self._checking.damaged(number, files, cancelled=cancelled)
            self._delete(number, found)
            contradicting = self._checking.complete(number, files, cancelled)
            self._delete(number, contradicting)
        self._checking.done()
        return len(found | contradicting)

    def _delete(self, number: int, contents: set[str]) -> None:
        if contents:
            with self._database.write() as connection:
                for statement in (
                    "DELETE FROM latents WHERE space = ? AND content = ?",
                    "DELETE FROM passages WHERE space = ? AND content = ?",
                ):
                    connection.executemany(statement, [(number, each) for each in contents])

    def _number(self, space: LatentSpace) -> int | None:
        rows = self._database.read(statements.SPACE, *astuple(space))
        return int(rows[0][0]) if rows else None

    def _stored(
        self, file: RowFile, space: LatentSpace, positions: NDArray[np.int64] | slice
    ) -> Array:
        """Rows (N, D) of a file."""
        if not isinstance(positions, slice) and not positions.size:
            return np.empty((0, space.dim), np.float32)
        with self._reading():
            return file.read(positions)

    def _means(self, space: LatentSpace, positions: NDArray[np.int64]) -> Array:
        """The means (N, D) at some positions, checked."""
        means = self._stored(self._files.of(space).means, space, positions)
        if self._checking.wrong_means(self._number(space), positions, means).any():
            raise self._damaged("they are not those that were stored")
        return means

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (IndexError, OSError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> LibraryError:
        self._checking.leave_note()
        return LibraryError(
            f"the stored latents of {shown(self._root)} are damaged ({why})",
            Hint.INDEX_AGAIN,
            root=self._root,
        )
