"""How many draws agree on a recording."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gdr_model.search.nearest import Scored

QUARTER = 4
"""A draw votes for one track in so many at most: being among the best 50 of 60 says nothing."""


def count_votes(
    scored: Sequence[Scored], k: int | None, copies: Collection[str] = ()
) -> dict[str, int]:
    """How many draws have each competing recording near their top (`Hit.votes`).

    Contents among `copies` take no place: the recording they belong to has one.
    """
    votes: dict[str, int] = {}
    for library in scored:
        quarter = max(1, library.tracks.recordings // QUARTER)
        within = quarter if k is None else min(k, quarter)
        contents = library.tracks.shelf.contents
        competes = library.tracks.mask.copy()
        codes = contents.codes_of(list(copies))
        competes[codes[codes >= 0]] = False
        for row in library.scores:
            order = np.argsort(-row, kind="stable")
            ranked = library.codes[order]
            ranked = ranked[competes[ranked]]
            first = np.sort(np.unique(ranked, return_index=True)[1])[:within]
            for code in ranked[first].tolist():
                content = contents.names[code].decode()
                votes[content] = votes.get(content, 0) + 1
    return votes
