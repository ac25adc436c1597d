"""What the evidence of a query adds to the recordings of a library.

A choice among ten is ten products with every recording. A session keeps its evidence from query to
query, so what each thing that was done adds is remembered, and a query pays for new ones only: at
100,000 recordings of 370,000 passages, 23 ms for a new choice and .3 ms for one that is remembered.
What the recordings sound like is computed once, in .7 s there. While a library is being indexed,
both are computed for the recordings that are new.

Shapes: N passages, R recordings, D latent width.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdr_model.evidence import Evidence
from gdr_model.search.session.likelihood import as_heard, pushes
from gdr_model.search.whitening import Whitening
from gdr_model.store.records import Passages
from gdr_model.types import Array, Judged

REMEMBERED_BYTES = 64 << 20
"""What is remembered of things done; one takes .4 MB at 100,000 recordings."""
_CHUNK = 8192
"""Passages whose means are read at once."""


@dataclass(frozen=True, eq=False)
class Sounds:
    """The recordings that some passages are of."""

    passages: Passages
    points: Array  # (R, D), `as_heard`
    first_ids: NDArray[np.int64]
    """(R,) the id of each recording's first passage: no other recording ever has it."""

    @classmethod
    def of(cls, passages: Passages, whitening: Whitening, before: Sounds | None = None) -> Sounds:
        """The mean of each recording over its whole length.

        Those that are in `before` are taken from there.
        """
        codes = passages.contents.codes
        first_ids = np.full(len(passages.contents.names), -1, np.int64)
        held, first = np.unique(codes, return_index=True)
        first_ids[held] = passages.ids[first]
        points = np.zeros((len(first_ids), len(whitening.mean)), np.float32)
        sounds = cls(passages, points, first_ids)
        known = sounds.rows_in(before)
        if before is not None:
            points[known >= 0] = before.points[known[known >= 0]]
        fresh = np.flatnonzero(known < 0)
        points[fresh] = _means(passages, fresh, whitening)
        return sounds

    @property
    def recording(self) -> NDArray[np.int32]:
        """(N,) the row of each passage's recording."""
        return self.passages.contents.codes

    def rows_in(self, before: Sounds | None) -> NDArray[np.int64]:
        """(R,) the row that each recording had before, -1 for one that is new."""
        if before is None or not len(before.first_ids):
            return np.full(len(self.first_ids), -1, np.int64)
        order = np.argsort(before.first_ids)
        at = np.searchsorted(before.first_ids, self.first_ids, sorter=order)
        rows = order[np.minimum(at, len(order) - 1)]
        return np.where(before.first_ids[rows] == self.first_ids, rows, -1)


def _means(passages: Passages, recordings: NDArray[np.int64], whitening: Whitening) -> Array:
    """The points (n, D) of some recordings, `as_heard`."""
    place = np.full(len(passages.contents.names), -1, np.int64)
    place[recordings] = np.arange(len(recordings))
    rows = np.flatnonzero(place[passages.contents.codes] >= 0)
    means = np.zeros((len(recordings), len(whitening.mean)), np.float32)
    lengths = np.zeros((len(recordings), 1), np.float32)
    for at in range(0, len(rows), _CHUNK):
        part = rows[at : at + _CHUNK]
        of = place[passages.contents.codes[part]]
        seconds = (passages.ends_s[part] - passages.starts_s[part])[:, None].astype(np.float32)
        read = passages.read_means(passages.mean_rows[part], True).astype(np.float32)
        np.add.at(means, of, read * seconds)
        np.add.at(lengths, of, seconds)
    means /= np.maximum(lengths, np.float32(1e-9))
    return as_heard(means, whitening)


@dataclass(frozen=True, eq=False)
class _Kept:
    """What one thing that was done adds to recordings."""

    judged: Judged
    added: Array  # (R,)


class EvidenceScores:
    """The effect of evidence on the passages of one library. Safe to use from several threads."""

    def __init__(self, whitening: Whitening) -> None:
        """Remember nothing yet."""
        self._whitening = whitening
        self._sounds: Sounds | None = None
        self._kept: OrderedDict[Evidence, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, judged: Sequence[Judged], passages: Passages) -> Array:
        """What everything that was done adds to the scores (N,) of passages.

        All passages of a recording get the same.
        """
        if not judged:
            return np.zeros(len(passages.contents), np.float32)
        with self._lock:
            sounds = self._of(passages)
            total = np.zeros(len(sounds.points), np.float32)
            asked = {one.evidence for one in judged}
            for one in judged:
                total += self._pushes(one, sounds, asked)
        return np.asarray(total[sounds.recording])

    def _of(self, passages: Passages) -> Sounds:
        """The recordings, with what is remembered brought up to date; a refresh replaces them."""
        before = self._sounds
        if before is not None and before.passages is passages:
            return before
        sounds = Sounds.of(passages, self._whitening, before)
        rows = sounds.rows_in(before)
        old, new = rows >= 0, np.flatnonzero(rows < 0)
        for evidence, kept in self._kept.items():
            added = np.empty(len(rows), np.float32)
            added[old] = kept.added[rows[old]]
            added[new] = pushes(kept.judged, sounds.points[new])
            self._kept[evidence] = _Kept(kept.judged, added)
        self._sounds = sounds
        return sounds

    def _pushes(self, judged: Judged, sounds: Sounds, asked: set[Evidence]) -> Array:
        """What one thing adds (R,); `asked` are all things of the query."""
        kept = self._kept.get(judged.evidence)
        if kept is None or not np.array_equal(kept.judged.points, judged.points):
            self._kept.pop(judged.evidence, None)
            kept = _Kept(judged, pushes(judged, sounds.points))
            if self._has_room(kept.added.nbytes, asked):
                self._kept[judged.evidence] = kept
        if judged.evidence in self._kept:
            self._kept.move_to_end(judged.evidence)
        return kept.added

    def _has_room(self, size: int, asked: set[Evidence]) -> bool:
        """Forget what was used longest ago; what the same query asks for makes no room.

        Otherwise a query of more things than can be remembered would find none of them again.
        """
        while self._kept and (len(self._kept) + 1) * size > REMEMBERED_BYTES:
            oldest = next((each for each in self._kept if each not in asked), None)
            if oldest is None:
                return False
            del self._kept[oldest]
        return True
