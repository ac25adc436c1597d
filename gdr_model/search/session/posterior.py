"""What the evidence of a query adds to the recordings of a library.

A choice among ten is ten products with every recording. A session keeps its evidence from query to
query, so what each thing that was done adds is remembered, and a query pays for new ones only: at
100,000 recordings of 370,000 passages, 23 ms for a new choice and .3 ms for one that is remembered.
What the recordings sound like is computed once, in .7 s there.

Shapes: N passages, R recordings, D latent width.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdr_model.evidence import Evidence
from gdr_model.search.session.likelihood import as_heard, pushes
from gdr_model.search.whitening import Whitening
from gdr_model.store.records import Passages
from gdr_model.types import Array, Judged

REMEMBERED = 64
"""Things done whose effect is kept; one takes .4 MB at 100,000 recordings."""
_CHUNK = 8192
"""Passages whose means are read at once."""


class Sounds(NamedTuple):
    """The recordings that some passages are of."""

    passages: Passages
    points: Array  # (R, D), `as_heard`
    recording: NDArray[np.int64]  # (N,), the row of each passage's recording

    @classmethod
    def of(cls, passages: Passages, whitening: Whitening) -> Sounds:
        """The mean of each recording over its whole length."""
        recording = passages.contents.codes.astype(np.int64)
        count = len(passages.contents.names)
        means = np.zeros((count, len(whitening.mean)), np.float32)
        lengths = np.zeros((count, 1), np.float32)
        seconds = (passages.ends_s - passages.starts_s)[:, None].astype(np.float32)
        for at in range(0, len(recording), _CHUNK):
            part = slice(at, at + _CHUNK)
            read = passages.read_means(passages.mean_rows[part], True).astype(np.float32)
            np.add.at(means, recording[part], read * seconds[part])
            np.add.at(lengths, recording[part], seconds[part])
        means /= np.maximum(lengths, np.float32(1e-9))
        return cls(passages, as_heard(means, whitening), recording)


class EvidenceScores:
    """The effect of evidence on the passages of one library. Safe to use from several threads."""

    def __init__(self, whitening: Whitening) -> None:
        """Remember nothing yet."""
        self._whitening = whitening
        self._sounds: Sounds | None = None
        self._kept: OrderedDict[Evidence, tuple[Judged, Sounds, Array]] = OrderedDict()

    def of(self, judged: Sequence[Judged], passages: Passages) -> Array:
        """What everything that was done adds to the scores (N,) of passages.

        All passages of a recording get the same.
        """
        if not judged:
            return np.zeros(len(passages.contents), np.float32)
        sounds = self._sounds
        if sounds is None or sounds.passages is not passages:  # a refresh replaces them
            sounds = self._sounds = Sounds.of(passages, self._whitening)
        total = np.zeros(len(sounds.points), np.float32)
        for one in judged:
            total += self._pushes(one, sounds)
        return np.asarray(total[sounds.recording])

    def _pushes(self, judged: Judged, sounds: Sounds) -> Array:
        kept = self._kept.get(judged.evidence)
        if kept is not None and kept[1] is sounds and np.array_equal(kept[0].points, judged.points):
            return kept[2]
        added = pushes(judged, sounds.points)
        self._kept[judged.evidence] = judged, sounds, added
        if len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return added
