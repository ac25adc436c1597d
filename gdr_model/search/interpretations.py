"""The interpretations of a prompt: clusters of the draws, where the draws disagree.

The draws of a clear prompt are close together; those of an ambiguous one form several clusters,
and a list ranked by all of them mixes what they find. Each cluster is an interpretation. It is
searched as if there were no other draws (and without the tower, which sees the words as a whole),
and is named by what distinguishes its results and its centre from the others.

Shapes: Q draws, D latent width, R interpretations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gdr_model.explanation import Interpretation
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.search.clusters import split
from gdr_model.search.lexicon import Lexicon
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.types import Array, Hit, Results

_TAGGED_HITS = 10
"""Hits whose tags can name an interpretation."""
_WORDS = 3


def interpretations(
    retriever: Retriever,
    results: Results,
    k: int,
    where: str | None = None,
    lexicon: Lexicon | None = None,
    limits: Limits = NO_LIMITS,
) -> tuple[Interpretation, ...]:
    """The interpretations of a query, largest first; none if its draws agree.

    Raises:
        UsageError: if the filter cannot be read.
    """
    query = results.query
    parts = split(query.vectors)
    if parts is None:
        return ()
    answers, centres = [], []
    for part in range(int(parts.max()) + 1):
        draws = np.flatnonzero(parts == part)
        vectors, numbers = query.vectors[draws], tuple(map(int, draws))
        partial = replace(
            query, vectors=vectors, anchor=None, draws=numbers, weights=None, shown={}
        )
        answers.append(retriever.answer(partial, k, where, limits=limits))
        centres.append(unit(vectors.mean(0)))
    tags = _distinctive_tags([results.hits[:_TAGGED_HITS] for results in answers])
    return tuple(
        Interpretation((*tags[part], *_distinctive_words(lexicon, centres, part)), results)
        for part, results in enumerate(answers)
    )


def _distinctive_words(
    lexicon: Lexicon | None, centres: Sequence[Array], part: int
) -> tuple[str, ...]:
    """The words that distinguish one centre from the others."""
    if lexicon is None:
        return ()
    others = [centre for other, centre in enumerate(centres) if other != part]
    return tuple(word for word, _ in lexicon.apart(centres[part], others, _WORDS))


def _distinctive_tags(answers: Sequence[Sequence[Hit]]) -> list[tuple[str, ...]]:
    """For each interpretation, the genre of most of its hits and few of the others', if any."""
    shares = [
        {genre: count / max(1, len(hits)) for genre, count in Counter(map(_genre, hits)).items()}
        for hits in answers
    ]
    names: list[tuple[str, ...]] = []
    for part, genres in enumerate(shares):
        others = [share for other, share in enumerate(shares) if other != part]
        distinctive = [
            (share, genre)
            for genre, share in genres.items()
            if genre and share >= 0.5 and all(o.get(genre, 0) <= share / 2 for o in others)
        ]
        names.append((max(distinctive)[1],) if distinctive else ())
    return names


def _genre(hit: Hit) -> str:
    return hit.track.genre.strip()
