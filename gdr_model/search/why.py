"""Why a track is in the results: what each part of the steering adds to its score, and in words.

A score is a mean of cosines, (1 - a) of it to the draws and a to the tower's point
(`nearest.fuse`; a is the model's anchor share). With t the passage, d_q the draws, e the tower's
point and m what likes and dislikes add to all of them,

    score = (1 - a) mean_q (d_q + m) t / |d_q + m|  +  a (e + m) t / |e + m|

With the lengths fixed, this is linear in the likes and dislikes, and in the tower's words (e is a
weighted sum of their points), so their pushes are exact parts of the score.

The effect of words on the draws is not linear. Their push is the change when they are added one by
one to draws from the same noise, from no words (or, for an edit, from its source drawn again under
none, and mixed with it by the strength) to the whole query. It is the mean over the cyclic orders
of prompt and sliders, starting at each of them, in both directions. So the pushes add up to the
score exactly, however the words interact. For up to three terms these are all orders there are, and
the push is the Shapley value: two equal sliders get half of their effect each. "No words" is a
prompt at guidance 0. If likes also act inside the sampler (pull), that part of their effect is in
the start; if guidance is limited to an interval, so is the effect of the prompt outside it.

Without a prompt nothing is drawn. The one point is a weighted sum of the likes and of the tower's
points for sliders, so every push is an exact part of the score.

A roll leans towards one of the draws (`gdr_model.search.spread`): the mean over the draws is a
weighted one, and what the lists before it showed loses something, which is a push too.

Where a model corrects draws for passages that are near to words in general (`indexed.commonness`),
that is a push, too.

What a negative takes (`gdr_model.search.negatives`; a slider below 0 is one) is its push, and what
was done in the session (`gdr_model.search.session`) adds a push for each thing, whatever the words
are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from gdr_model.errors import Hint, LibraryError, UsageError
from gdr_model.explanation import Push, Why
from gdr_model.search.lexicon import Lexicon
from gdr_model.search.nearest import OpenLibrary
from gdr_model.search.retriever import Retriever
from gdr_model.steering import Steering
from gdr_model.types import Array, Cancel, Hit, Method, Query, never

DrawnPart = Callable[[Steering], float]
"""What draws under some of the words add to a score, at the lengths of the whole query."""


def explain(
    retriever: Retriever,
    query: Query,
    hit: Hit,
    lexicon: Lexicon | None = None,
    cancelled: Cancel = never,
) -> Why:
    """Break the score of a hit down; takes a few draws, which the retriever remembers.

    Raises:
        LibraryError: if the passage is no longer in the libraries.
        Cancelled: when asked.
    """
    opened, row = _row(retriever, hit)
    point = np.asarray(opened.index.vectors[row])
    penalties = opened.penalties(query)[:, row]
    pushes = _breakdown(retriever, query, point, penalties, cancelled)
    if shown := query.shown.get(opened.index.passages.contents[row]):
        pushes = (*pushes, Push("shown", "", 0.0, 0.0, -shown))
    if (common := opened.common.of(query, opened.index)) is not None:
        lost = (1 - _share(retriever, query)) * float(common[row])
        pushes = (*pushes, Push("common", "", -lost, 0.0))
    for one in query.judged:
        done = float(opened.evidence.of([one], opened.index.passages)[row])
        evidence, over = one.evidence, len(one.points) - 1
        pushes += (Push(evidence.judgement, evidence.path, 0.0, 0.0, done, over),)
    near = (
        ((), ())
        if lexicon is None
        else (lexicon.nearest(point), lexicon.nearest(retriever.centre(query)))
    )
    return Why(sum(push.total for push in pushes), pushes, *near)


def place(
    retriever: Retriever, query: Query, path: Path, where: str | None = None
) -> tuple[Hit, int, int]:
    """A file as a hit, at any rank; its rank, and how many tracks compete.

    Raises:
        LibraryError: if no library has the file.
        UsageError: if a filter or a dislike excludes it, or the query starts from it.
    """
    tracks = [track for opened in retriever.libraries if (track := opened.library.track(path))]
    if not tracks:
        raise LibraryError(f"{path} is in no library", Hint.INDEX_FOLDER_OF, path=path)
    ranking = retriever.recordings(query, where)
    contents = {track.content for track in tracks}
    for rank, ranked in enumerate(ranking.tracks, 1):
        files = (ranked.track, *ranked.copies)
        if any(file.content in contents for file in files):
            named = next((file for file in files if file.path == tracks[0].path), ranked.track)
            hit = replace(ranked.hit(retriever.centre(query)), track=named)
            return hit, rank, ranking.competing
    start = "" if query.steering.worded else "the query starts from it, or "
    raise UsageError(f"{path} does not compete: {start}the filter or a dislike excludes it")


def _breakdown(
    retriever: Retriever, query: Query, point: Array, penalties: Array, cancelled: Cancel
) -> tuple[Push, ...]:
    steering, share = query.steering, _share(retriever, query)
    if steering.edit:  # fewer words must not choose another passage
        steering = steering.but(edit=replace(steering.edit, start_s=query.source_start_s))
    moves = retriever.drawer.moves(steering)
    total_move = sum((move for _, _, move in moves), np.zeros_like(point))
    pushes: list[Push] = []
    drawn: list[float] = []
    per_cosine = 0.0  # what a move adds through the draws, per unit of its cosine
    if query.method == Method.GDR and steering.worded:
        which = slice(None) if query.draws is None else list(query.draws)
        parts = len(query.vectors)
        weights = np.full(parts, 1 / parts) if query.weights is None else query.weights
        whole = retriever.drawer.drawn(steering, Method.GDR, cancelled).vectors[which]
        lengths = np.linalg.norm(whole + total_move, axis=1)  # (Q,)
        per_cosine = float((1 - share) * (weights / lengths).sum())

        def part(partial: Steering) -> float:
            vectors = retriever.drawer.drawn(partial, Method.GDR, cancelled).vectors[which]
            return float((1 - share) * weights @ (vectors @ point / lengths))

        drawn = _pushes_by_draws(steering, part)
        text = steering.edit.path if steering.edit else ""
        pushes.append(Push("start", text, drawn.pop(0), 0.0))
    tower, per_tower_cosine = [], 0.0
    if share:
        rows = retriever.drawer.rows(steering, query.method)  # (N, D), in the order of `named`
        length = np.linalg.norm(rows.sum(axis=0))
        per_tower_cosine = share / float(np.linalg.norm(rows.sum(axis=0) / length + total_move))
        tower = [float(value) for value in rows @ point / length * per_tower_cosine]
    likes = [("like", path) for path in steering.likes]
    named = [("prompt", steering.prompt)] if steering.worded else likes
    named += [("slider", slider.text) for slider in steering.raised]
    for term, (kind, text) in enumerate(named):
        by_draws = drawn[term] if drawn else 0.0
        pushes.append(Push(kind, text, by_draws, tower[term] if tower else 0.0))
    for number, negative in enumerate(steering.avoided):
        kind = "negative" if number < len(steering.negatives) else "slider"
        pushes.append(Push(kind, negative.text, 0.0, -float(penalties[number])))
    for kind, path, move in moves:
        cosine = float(move @ point)
        pushes.append(Push(kind, path, per_cosine * cosine, per_tower_cosine * cosine))
    return tuple(pushes)


def _pushes_by_draws(steering: Steering, part: DrawnPart) -> list[float]:
    """The score of draws under no words, then what each of the words adds, over cyclic orders."""
    terms = 1 + len(steering.raised)
    values: dict[frozenset[int], float] = {}

    def value(included: frozenset[int]) -> float:
        if included not in values:
            values[included] = part(_with_words(steering, included))
        return values[included]

    pushes = np.zeros(terms)
    for first, step in product(range(terms), (1, -1)):
        included: frozenset[int] = frozenset()
        for turn in range(terms):
            term = (first + step * turn) % terms
            pushes[term] += value(included | {term}) - value(included)
            included |= {term}
    return [value(frozenset()), *map(float, pushes / (2 * terms))]


def _with_words(steering: Steering, included: Collection[int]) -> Steering:
    """A steering with some of its words: 0 is the prompt, then come the sliders above 0."""
    return replace(
        steering,
        guidance=steering.guidance if 0 in included else 0.0,
        sliders=tuple(s for term, s in enumerate(steering.raised, 1) if term in included),
    )


def _share(retriever: Retriever, query: Query) -> float:
    """The share of a score that comes from the point that is not drawn."""
    if query.method == Method.CONTRASTIVE or not query.steering.worded:
        return 1.0
    return 0.0 if query.anchor is None else retriever.share(query)


def _row(retriever: Retriever, hit: Hit) -> tuple[OpenLibrary, int]:
    """The library and row of a hit's passage; in a copy, of the passage at about the same time."""
    for opened in retriever.libraries:
        passages = opened.index.passages
        code = passages.contents.codes_of([hit.track.content])[0]
        rows = np.flatnonzero(passages.contents.codes == code)
        if len(rows):
            return opened, int(rows[np.abs(passages.starts_s[rows] - hit.start_s).argmin()])
    raise LibraryError(f"{hit.track.path} is no longer in the library; search again")
