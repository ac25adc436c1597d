"""What the evidence of a query adds to every passage of a library.

A choice among ten costs ten products with every passage. A session keeps its evidence from query
to query, so what each thing that was done adds is remembered, and a query pays for new ones only.
At 370,000 passages, which 100,000 tracks have, that takes 60 ms, and a remembered one .1 ms.

Shapes: N passages, D latent width.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from gdr_model.evidence import Evidence
from gdr_model.search.indexed.vectors import Vectors
from gdr_model.search.session.likelihood import pushes
from gdr_model.types import Array, Judged

REMEMBERED = 64
"""Things done whose effect is kept; one takes 1.5 MB at 370,000 passages."""


class EvidenceScores:
    """The effect of evidence on the passages of one library. Safe to use from several threads."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._kept: OrderedDict[Evidence, tuple[Judged, Vectors, Array]] = OrderedDict()

    def of(self, judged: Sequence[Judged], vectors: Vectors) -> Array:
        """What everything that was done adds to the scores (N,) of passages (N, D)."""
        total = np.zeros(len(vectors), np.float32)
        for one in judged:
            total += self._pushes(one, vectors)
        return total

    def _pushes(self, judged: Judged, vectors: Vectors) -> Array:
        kept = self._kept.get(judged.evidence)
        # An index that has changed has other vectors, and a file that has changed other points.
        if (
            kept is not None
            and kept[1] is vectors
            and np.array_equal(kept[0].points, judged.points)
        ):
            return kept[2]
        added = pushes(judged, vectors)
        self._kept[judged.evidence] = judged, vectors, added
        if len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return added
