"""Why a track was found: how far each thing that steers pushed its score, and words for both.

A score is a mean of cosines, (1 - a) of it to the draws and a to the tower's point
(`nearest.fuse`; a is the model's anchor share). With t the passage found, d_q the draws, e the
tower's point and m what likes and dislikes add to all of them,

    score = (1 - a) mean_q (d_q + m) t / |d_q + m|  +  a (e + m) t / |e + m|

Likes and dislikes, and the words in the tower (e is a weighted sum of their points), are linear
in this once the lengths are held, so their pushes are exact parts of the score.

What the words do to the draws is not linear. Their push is what they change when they are added
one by one to draws of the same noise, from no words (or, for an edit, from its source drawn again
under none) to the whole query; the mean over the orders that go round prompt, negatives and
sliders, from each of them and in both directions. So the pushes add up to the score exactly,
whatever the words do together. Up to three terms these are all orders there are, and the push is
Shapley's: of two like negatives each gets half of what they do. `Steering` has no empty prompt,
so "no words" is a prompt at guidance 0. Where a pull lets likes act inside
the sampler, that part of theirs is in the start, and where guidance is kept to an interval, so is
what the prompt does outside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from gdr_model.errors import Hint, LibraryError, UsageError
from gdr_model.search.lexicon import Lexicon
from gdr_model.search.retriever import Retriever
from gdr_model.types import Array, Cancel, Hit, Method, Push, Query, Steering, Why, never

PartOf = Callable[[Steering], float]
"""What draws under some of the words give a score, at the lengths of the whole query."""


def explain(
    retriever: Retriever,
    query: Query,
    hit: Hit,
    lexicon: Lexicon | None = None,
    cancelled: Cancel = never,
) -> Why:
    """Take the score of a hit apart; costs a few draws, which the retriever remembers.

    Raises:
        LibraryError: if the passage is not in the libraries any more.
        Cancelled: when asked.
    """
    point = _point(retriever, hit)
    pushes = _taken_apart(retriever, query, point, cancelled)
    near = (
        ((), ())
        if lexicon is None
        else (lexicon.nearest(point), lexicon.nearest(retriever.centre(query)))
    )
    return Why(sum(push.total for push in pushes), pushes, *near)


def place(
    retriever: Retriever, query: Query, path: Path, where: str | None = None
) -> tuple[Hit, int, int]:
    """A file as a hit, its rank, and how many tracks compete; whatever its rank.

    Raises:
        LibraryError: if no library holds the file.
        UsageError: if a filter or a dislike keeps it out.
    """
    tracks = [track for opened in retriever.libraries if (track := opened.library.track(path))]
    if not tracks:
        raise LibraryError(f"{path} is in no library", Hint.INDEX_FOLDER_OF, path=path)
    ranking = retriever.rank(query, where)
    contents = {track.content for track in tracks}
    for rank, ranked in enumerate(ranking.tracks, 1):
        if ranked.track.content in contents:
            copies = [r.track for r in ranking.tracks if r.track.content == ranked.track.content]
            named = next((copy for copy in copies if copy.path == tracks[0].path), ranked.track)
            hit = replace(ranked.hit(retriever.centre(query)), track=named)
            return hit, rank, ranking.competing
    raise UsageError(f"{path} does not compete: the filter or a dislike leaves it out")


def _taken_apart(
    retriever: Retriever, query: Query, point: Array, cancelled: Cancel
) -> tuple[Push, ...]:
    steering, share = query.steering, _share(retriever, query)
    if steering.edit:  # other words must not choose another passage
        steering = steering.but(edit=replace(steering.edit, start_s=query.source_start_s))
    moves = retriever.drawer.moves(steering)
    moved = sum((move for _, _, move in moves), np.zeros_like(point))
    pushes: list[Push] = []
    drawn: list[float] = []
    through = 0.0  # what a move adds through the draws, a unit of its cosine
    if query.method == Method.GDR:
        which = slice(None) if query.draws is None else list(query.draws)
        whole = retriever.drawer.drawn(steering, Method.GDR, cancelled).vectors[which]
        lengths = np.linalg.norm(whole + moved, axis=1)  # (Q,)
        through = float((1 - share) * (1 / lengths).mean())

        def part(kept: Steering) -> float:
            vectors = retriever.drawer.drawn(kept, Method.GDR, cancelled).vectors[which]
            return float((1 - share) * (vectors @ point / lengths).mean())

        drawn = _added(steering, part)
        text = steering.edit.path if steering.edit else ""
        pushes.append(Push("start", text, drawn.pop(0), 0.0))
    tower, beside = [], 0.0
    if share:
        rows = retriever.drawer.tower_rows(steering)  # (N, D), a row each for the words
        length = np.linalg.norm(rows.sum(axis=0))
        beside = share / float(np.linalg.norm(rows.sum(axis=0) / length + moved))
        tower = [float(value) for value in rows @ point / length * beside]
    words = [("prompt", steering.prompt)]
    words += [("negative", negative.text) for negative in steering.negatives]
    words += [("slider", slider.text) for slider in steering.sliders]
    for at, (kind, said) in enumerate(words):
        through_draws = drawn[at] if drawn else 0.0
        pushes.append(Push(kind, said, through_draws, tower[at] if tower else 0.0))
    for kind, path, move in moves:
        cosine = float(move @ point)
        pushes.append(Push(kind, path, through * cosine, beside * cosine))
    return tuple(pushes)


def _added(steering: Steering, part: PartOf) -> list[float]:
    """What draws of no words have, then what each of the words adds, over all orders round."""
    terms = 1 + len(steering.negatives) + len(steering.sliders)
    known: dict[frozenset[int], float] = {}

    def value(kept: frozenset[int]) -> float:
        if kept not in known:
            known[kept] = part(_with_words(steering, kept))
        return known[kept]

    pushed = np.zeros(terms)
    for first, step in product(range(terms), (1, -1)):
        kept: frozenset[int] = frozenset()
        for turn in range(terms):
            term = (first + step * turn) % terms
            pushed[term] += value(kept | {term}) - value(kept)
            kept |= {term}
    return [value(frozenset()), *map(float, pushed / (2 * terms))]


def _with_words(steering: Steering, kept: Collection[int]) -> Steering:
    """A steering with some of its words: 0 is the prompt, then the negatives and the sliders."""
    first = 1 + len(steering.negatives)
    return replace(
        steering,
        guidance=steering.guidance if 0 in kept else 0.0,
        negatives=tuple(n for at, n in enumerate(steering.negatives, 1) if at in kept),
        sliders=tuple(s for at, s in enumerate(steering.sliders, first) if at in kept),
    )


def _share(retriever: Retriever, query: Query) -> float:
    """The tower's share of a score; all of it where nothing was drawn."""
    if query.method == Method.CONTRASTIVE:
        return 1.0
    return 0.0 if query.anchor is None else retriever.model.config.anchor_share


def _point(retriever: Retriever, hit: Hit) -> Array:
    """The passage (D,) through which a track was found."""
    for opened in retriever.libraries:
        passages = opened.index.passages
        for row, content in enumerate(passages.contents):
            if content == hit.track.content and passages.starts_s[row] == hit.start_s:
                return np.asarray(opened.index.vectors[row])
    raise LibraryError(f"{hit.track.path} is not in the library any more; search again")
