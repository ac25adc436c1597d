"""The interpretations of a prompt: clusters of the draws, where the draws disagree.

Words that are clear draw points that lie close together; words that can be meant in several ways
draw several clouds, and a list ranked by all of them mixes what they found. Each cloud is an
interpretation. It is searched as if its draws were all there is (the tower, which sees the words as
a whole, has no say), and is named by what sets its results and its centre apart from the others.

Shapes: Q draws, D latent width, R interpretations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gdr_model.search.clusters import split
from gdr_model.search.lexicon import Lexicon
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.types import Array, Hit, Interpretation, Results

_LOOKED_AT = 10
"""Hits whose tags speak for an interpretation."""
_WORDS = 3


def interpretations(
    retriever: Retriever,
    results: Results,
    k: int,
    where: str | None = None,
    lexicon: Lexicon | None = None,
) -> tuple[Interpretation, ...]:
    """The interpretations of a query, largest first; none where its draws agree.

    Raises:
        UsageError: if the filter cannot be read.
    """
    query = results.query
    parts = split(query.vectors)
    if parts is None:
        return ()
    found, centres = [], []
    for part in range(int(parts.max()) + 1):
        draws = np.flatnonzero(parts == part)
        own = replace(query, vectors=query.vectors[draws], anchor=None,
                      draws=tuple(map(int, draws)))  # fmt: skip
        found.append(retriever.answer(own, k, where))
        centres.append(unit(own.vectors.mean(0)))
    tags = _tags_apart([results.hits[:_LOOKED_AT] for results in found])
    return tuple(
        Interpretation((*tags[at], *_words_apart(lexicon, centres, at)), results)
        for at, results in enumerate(found)
    )


def _words_apart(lexicon: Lexicon | None, centres: Sequence[Array], at: int) -> tuple[str, ...]:
    """The words that tell one centre from the others."""
    if lexicon is None:
        return ()
    others = [centre for other, centre in enumerate(centres) if other != at]
    return tuple(word for word, _ in lexicon.apart(centres[at], others, _WORDS))


def _tags_apart(found: Sequence[Sequence[Hit]]) -> list[tuple[str, ...]]:
    """For each interpretation, the genre that most of its hits share and few others do, if any."""
    shares = [
        {genre: count / max(1, len(hits)) for genre, count in Counter(map(_genre, hits)).items()}
        for hits in found
    ]
    names: list[tuple[str, ...]] = []
    for at, own in enumerate(shares):
        others = [share for other, share in enumerate(shares) if other != at]
        telling = [
            (share, genre)
            for genre, share in own.items()
            if genre and share >= 0.5 and all(o.get(genre, 0) <= share / 2 for o in others)
        ]
        names.append((max(telling)[1],) if telling else ())
    return names


def _genre(hit: Hit) -> str:
    return hit.track.genre.strip()
