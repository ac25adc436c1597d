"""Checksums of stored rows: a power cut can leave zeros where latents were, and disks decay.

Every passage has the CRC-32 of its mean, every recording that of its latents. Means are checked
when they are read, all of them by every ingest; latents are checked when they are read, and the
newest by every ingest, because reading all of a large library would take minutes. Whoever finds
damage leaves a note, and the next ingest checks everything.
"""

from __future__ import annotations

import json
import zlib
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import Cancelled
from gdr_model.store import statements
from gdr_model.store.database import Database
from gdr_model.store.latent_files import SpaceFiles
from gdr_model.types import Array, Cancel, never

NEWEST = 1000
"""Recordings whose latents every ingest checks: what a power cut can have met."""
_NOTE = "damaged"
_TOGETHER = 1000
_MEANS_TOGETHER = 2000
_TOLERANCE = 0.01
"""Share of the largest latent by which a mean differs at most from that of latents in 16 bits."""


def checksum(rows: Array, kind: str) -> int:
    """The CRC-32 of rows as they are stored, in little-endian 16 (`<f2`) or 32 bits (`<f4`)."""
    return zlib.crc32(np.ascontiguousarray(rows, kind).data)


class Checking:
    """The checks of the latents in one folder."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._note = folder / _NOTE

    def leave_note(self) -> None:
        """Let the next ingest check everything."""
        with suppress(OSError):
            self._note.touch()

    def wrong_means(
        self, number: int | None, positions: NDArray[np.int64], means: Array
    ) -> NDArray[np.bool_]:
        """Which means (N, D), read at some positions, are not what was stored."""
        wrong: NDArray[np.bool_] = np.asarray(~np.isfinite(means).all(axis=1))
        if not len(positions):
            return wrong
        first, last = int(positions.min()), int(positions.max())
        if last - first < 4 * len(positions):
            rows = self._database.read(statements.SUMS_OF_MEANS, number, first, last)
        else:
            some = json.dumps(positions.tolist())
            rows = self._database.read(statements.SUMS_OF_SOME_MEANS, number, some)
        stored = dict(rows)
        for place, position in enumerate(positions.tolist()):
            sum_ = stored.get(position)
            if sum_ is not None and sum_ != checksum(means[place], "<f4"):
                wrong[place] = True
        return wrong

    def damaged(
        self,
        number: int,
        files: SpaceFiles,
        *,
        whole: bool = False,
        cancelled: Cancel = never,
    ) -> set[str]:
        """The recordings of a space whose rows are not what was stored.

        Args:
            number: of the space in the database.
            files: of its rows.
            whole: check all latents, not the newest alone.
            cancelled: polled between pieces; while it blocks, the check rests.

        Raises:
            Cancelled: when asked.
        """
        lengths = len(files.latents), len(files.means)
        found = {row[0] for row in self._database.read(statements.DAMAGED, number, *lengths)}
        found |= self._with_wrong_means(number, files, found, cancelled)
        most = -1 if whole or self._note.exists() else NEWEST
        for content, first, rows, sum_ in self._database.read(
            statements.SUMS_OF_LATENTS, number, most
        ):
            if not isinstance(first, int) or not isinstance(rows, int):
                found.add(content)
            if content in found or sum_ is None:
                continue
            if checksum(files.latents.read(slice(first, first + rows)), "<f2") != sum_:
                found.add(content)
        return found

    def complete(self, number: int, files: SpaceFiles, cancelled: Cancel = never) -> set[str]:
        """Give a checksum to what has none, as stored by earlier versions.

        Returns:
            The recordings that get none: their latents and their means contradict each other.

        Raises:
            Cancelled: when asked; what has a checksum by then keeps it.
        """
        wrong: set[str] = set()
        while unchecked := self._database.read(statements.UNCHECKED, number, _TOGETHER):
            _poll(cancelled)
            sums, sums_of_means = [], []
            for content, first, rows in unchecked:
                passages = self._database.read(statements.PASSAGES_OF, number, content)
                with self._database.trusting():
                    latents = files.latents.read(slice(first, first + rows))
                    means = files.means.read(np.array([row[1] for row in passages], np.int64))
                if not _agree(latents, means, [row[2] for row in passages]):
                    wrong.add(content)
                sums.append((checksum(latents, "<f2"), number, content))
                sums_of_means += [
                    (checksum(mean, "<f4"), row[0])
                    for row, mean in zip(passages, means, strict=True)
                ]
            with self._database.write() as connection:
                connection.executemany(statements.PUT_SUM_OF_LATENTS, sums)
                connection.executemany(statements.PUT_SUM_OF_MEAN, sums_of_means)
        return wrong

    def done(self) -> None:
        """Remove the note: what was damaged has been deleted."""
        with suppress(OSError):
            self._note.unlink(missing_ok=True)

    def _with_wrong_means(
        self, number: int, files: SpaceFiles, known: set[str], cancelled: Cancel
    ) -> set[str]:
        found: set[str] = set()
        last = 0
        while rows := self._database.read(statements.SUMS_BY_ID, number, last, _MEANS_TOGETHER):
            _poll(cancelled)
            last = rows[-1][0]
            found |= {row[1] for row in rows if not isinstance(row[2], int)}
            aside = known | found
            rows = [row for row in rows if row[1] not in aside]
            means = files.means.read(np.array([row[2] for row in rows], np.int64))
            finite: NDArray[np.bool_] = np.asarray(np.isfinite(means).all(axis=1))
            for (_, content, _, sum_), mean, is_finite in zip(rows, means, finite, strict=True):
                if not is_finite or (sum_ is not None and sum_ != checksum(mean, "<f4")):
                    found.add(content)
        return found


def _poll(cancelled: Cancel) -> None:
    if cancelled():
        raise Cancelled("the check was cancelled")


def _agree(latents: Array, means: Array, starts_s: list[float]) -> bool:
    """Whether stored means (N, D) can be those of latents (T, D) that passages cut at some seconds.

    No encoder returns a passage of nothing but zeros, but a power cut leaves them.
    """
    cuts = [*(round(start) for start in starts_s), len(latents)]
    parts = [latents[a:b] for a, b in pairwise(cuts)]
    if not parts or not np.isfinite(latents).all() or not all(part.any() for part in parts):
        return False
    expected = np.stack([part.mean(axis=0) for part in parts])
    return bool(np.abs(expected - means).max() <= _TOLERANCE * np.abs(latents).max())
