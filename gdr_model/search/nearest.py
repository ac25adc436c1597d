"""Rank the tracks of libraries by their nearness to points that were drawn.

Shapes: Q draws, D latent width, C candidates, T seconds. Points are unit rows of the search
space; every score is a cosine, or a mean of cosines.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.index import HnswIndex, Rows
from gdr_model.search.negatives.penalty import NegativePenalties
from gdr_model.search.recordings.sections import sections_of
from gdr_model.search.session.posterior import EvidenceScores
from gdr_model.search.whitening import Whitening
from gdr_model.steering import Steering
from gdr_model.store.library import Library
from gdr_model.types import Array, Hit, LatentSpace, Query, Track

CANDIDATES = 200
"""Passages each draw brings before fusion, at least; four times k where that is more."""
QUARTER = 4
"""A draw votes for one track in so many at most: being among the best 50 of 60 says nothing."""


def fuse(scores: Array, anchored: Array | None = None, share: float = 0.0) -> Array:
    """Scores of candidates under each draw (Q, C), and the anchor (C,), to one score each (C,).

    Every draw, and the anchor if there is one, is searched separately, so a passage near to one
    interpretation of the words becomes a candidate even if it is far from their average.
    The candidates of all are then ranked together, by their mean cosine to the draws and, for a
    share, by their cosine to the anchor: the point a contrastive tower gives the words.
    On the built-in model the two together find more than either alone (its card).
    """
    drawn = scores.mean(axis=0)
    fused = drawn if anchored is None else (1 - share) * drawn + share * anchored
    return np.asarray(fused, dtype=np.float32)


@dataclass(eq=False)
class OpenLibrary:
    """A library opened for searching in one space."""

    library: Library
    index: HnswIndex
    space: LatentSpace
    whitening: Whitening
    tracks: dict[str, list[Track]]
    """By content, so that copies of one recording are together."""
    sections: list[int]
    """The section of its file that each passage of the index belongs to, from 1; 0 for none."""
    evidence: EvidenceScores = field(default_factory=EvidenceScores)
    negatives: NegativePenalties = field(default_factory=NegativePenalties)

    @classmethod
    def open(cls, library: Library, space: LatentSpace, whitening: Whitening) -> OpenLibrary:
        """The library with its index, rebuilt where that is missing or out of date."""
        index = HnswIndex.open(library, space, whitening)
        tracks = by_content(library.tracks())
        return cls(library, index, space, whitening, tracks, sections_of(index.passages, tracks))

    def refresh(self) -> int:
        """Pick up what has been indexed since; returns how many passages are new."""
        added = self.index.refresh()
        self.tracks = by_content(self.library.tracks())
        self.sections = sections_of(self.index.passages, self.tracks)
        return added

    def count(self) -> int:
        """How many tracks it has."""
        return _size(self.tracks)

    def penalties(self, query: Query) -> Array:
        """What each negative of a query takes (N, P) from the score of every passage."""
        index = self.index
        return self.negatives.of(query, index.passages.contents, self.sections, index.vectors)

    def scores(self, query: Query, share: float) -> Array:
        """The score of every passage (P,) under all that a query asks; `share` is the anchor's."""
        points, vectors = _points(query), self.index.vectors
        total = _scores(query, points, vectors, share)[1]
        total += self.evidence.of(query.judged, vectors)
        total -= self.penalties(query).sum(axis=0)
        return total

    def profile(self, content: str, point: Array) -> Array:
        """The cosines (T,) of every second of a recording to a unit point (D,)."""
        return self.whitening.apply(self.library.latents(content, self.space)) @ point


@dataclass(frozen=True)
class RankedTrack:
    """A track with its score, and the passage that has it."""

    track: Track
    score: float
    votes: int
    """How many draws have the recording near their top (`Hit.votes`)."""
    library: OpenLibrary
    row: int
    """Of the passage, in the library's index."""
    copies: tuple[Track, ...] = ()
    """The other files of the recording, in a list that has one line for it."""

    @property
    def start_s(self) -> float:
        """Where the passage begins."""
        return float(self.library.index.passages.starts_s[self.row])

    @property
    def end_s(self) -> float:
        """Where the passage ends."""
        return float(self.library.index.passages.ends_s[self.row])

    def hit(self, point: Array) -> Hit:
        """The same as a hit, with its profile against a unit point (D,)."""
        profile = self.library.profile(self.track.content, point)
        bounds = self.start_s, self.end_s
        return Hit(self.track, *bounds, self.score, self.votes, profile, self.copies)


@dataclass(frozen=True)
class Ranking:
    """Tracks by their score, and how many competed."""

    tracks: tuple[RankedTrack, ...]
    """Best first; equals in the order of their paths."""
    competing: int
    filtered: int
    """Tracks that the filter excluded."""
    banned: int
    """Tracks that passed the filter and were left out (`left_out`)."""


def rank(
    query: Query,
    libraries: Sequence[OpenLibrary],
    share: float,
    where: str | None = None,
    k: int | None = None,
) -> Ranking:
    """Rank the tracks of all libraries together, every file for itself.

    A recording that is `left_out` does not compete, nor does any equal file.

    Args:
        query: the points to rank by.
        libraries: whose tracks compete.
        share: the anchor's (see `fuse`).
        where: a filter (see `store.filters`).
        k: how many tracks to return; None ranks all that compete.

    Raises:
        UsageError: if the filter cannot be read.
    """
    entered = enter(libraries, where, left_out(query.steering, libraries))
    recordings = score(query, entered, share, k)
    votes = count_votes(recordings.scored, k)
    ranked = [
        RankedTrack(track, found.score, votes.get(found.content, 0), found.library, found.row)
        for found in recordings.found
        for track in found.tracks
    ]
    return Ranking(tuple(ranked[:k]), entered.competing, entered.filtered, entered.banned)


@dataclass(frozen=True)
class Entered:
    """The tracks that compete, and how many do not."""

    tracks: list[tuple[OpenLibrary, dict[str, list[Track]]]]
    """Of each library, by content."""
    allowed: list[NDArray[np.bool_] | None]
    """The passages of each library that a filter allows; None for all."""
    filtered: int
    banned: int

    @property
    def competing(self) -> int:
        """How many tracks compete."""
        return sum(_size(tracks) for _, tracks in self.tracks)


def enter(
    libraries: Sequence[OpenLibrary], where: str | None, left_out: Collection[str]
) -> Entered:
    """Leave out the tracks that a filter excludes, and those with certain contents.

    Raises:
        UsageError: if the filter cannot be read.
    """
    entered: list[tuple[OpenLibrary, dict[str, list[Track]]]] = []
    masks: list[NDArray[np.bool_] | None] = []
    filtered = banned = 0
    for opened in libraries:
        tracks, allowed = opened.tracks, None
        if where is not None:
            tracks = by_content(opened.library.tracks(where))
        if where is not None or opened.library.part:
            contents = opened.index.passages.contents
            allowed = np.array([content in tracks for content in contents], np.bool_)
            filtered += opened.count() - _size(tracks)
        gone = {content: tracks[content] for content in left_out if content in tracks}
        if gone:
            tracks = {content: same for content, same in tracks.items() if content not in gone}
            banned += _size(gone)
        entered.append((opened, tracks))
        masks.append(allowed)
    return Entered(entered, masks, filtered, banned)


def left_out(steering: Steering, libraries: Sequence[OpenLibrary]) -> set[str]:
    """The contents that never are results: what is disliked, and what is liked without words."""
    paths = (*steering.dislikes, *(() if steering.worded else steering.likes))
    tracks = {opened.library.track(Path(path)) for path in paths for opened in libraries}
    return {track.content for track in tracks if track is not None}


@dataclass(frozen=True)
class FoundPassage:
    """The best passage of a recording, or of one of its sections, and the tracks that hold it."""

    score: float
    content: str
    library: OpenLibrary
    row: int
    """Of the passage, in the library's index."""
    tracks: list[Track]

    @property
    def middle_s(self) -> float:
        """Where the middle of the passage is."""
        passages = self.library.index.passages
        return float(passages.starts_s[self.row] + passages.ends_s[self.row]) / 2


@dataclass(frozen=True)
class Scored:
    """The candidates of one library: their scores (Q, C) under every draw."""

    scores: Array
    contents: list[str]
    tracks: Mapping[str, list[Track]]
    """Those that compete."""


@dataclass(frozen=True)
class Recordings:
    """What was found, best first; equals in the order of their paths."""

    found: list[FoundPassage]
    scored: list[Scored]
    complete: bool
    """Whether this is all that competes."""


def score(
    query: Query,
    entered: Entered,
    share: float,
    k: int | None = None,
    *,
    by_section: bool = False,
) -> Recordings:
    """The best passages of the k best recordings of each library, or of all recordings.

    Args:
        query: the points to score by.
        entered: what competes.
        share: the anchor's (see `fuse`).
        k: how many recordings of each library at least.
        by_section: whether each section of a file is a recording.
    """
    found: list[FoundPassage] = []
    scored: list[Scored] = []
    complete = True
    for (opened, tracks), allowed in zip(entered.tracks, entered.allowed, strict=True):
        most = len(opened.sections) if k is None else k
        sections = opened.sections if by_section else [0] * len(opened.sections)
        best, candidates, whole = _of_library(query, opened, most, tracks, allowed, share, sections)
        found += best
        scored.append(candidates)
        complete = complete and whole
    # The path decides between equals, so that the order never depends on the index.
    found.sort(key=lambda one: (-one.score, one.tracks[0].path, one.row))
    return Recordings(found, scored, complete)


def _size(tracks: dict[str, list[Track]]) -> int:
    return sum(map(len, tracks.values()))


def _of_library(
    query: Query,
    opened: OpenLibrary,
    k: int,
    tracks: dict[str, list[Track]],
    allowed: NDArray[np.bool_] | None,
    share: float,
    sections: Sequence[int],
) -> tuple[list[FoundPassage], Scored, bool]:
    """The best passage of each of the k best recordings of one library, and whether it has more.

    Passages outnumber tracks, so the search widens until k recordings have been found or every
    passage has been seen. Evidence and negatives can put a passage first that no draw is near to:
    with any, every passage is scored and the best of all are candidates too.
    """
    contents, vectors = opened.index.passages.contents, opened.index.vectors
    points = _points(query)
    overall = None
    if query.judged or query.negated is not None:
        overall = opened.scores(query, share)
    wanted = min(max(CANDIDATES, 4 * k), len(contents))
    while True:
        rows, _ = opened.index.search(points, wanted, allowed)
        leaders = rows if overall is None else _highest(overall, rows.shape[1], allowed)
        candidates = np.unique(np.append(rows, leaders))
        scores, fused = _scores(query, points, vectors[candidates], share)
        ranked = len(candidates)
        if overall is not None:  # below its highest there can be others that no draw brings
            fused, ranked = overall[candidates], len(leaders)
            scores = scores - opened.penalties(query).sum(axis=0)[candidates]
        best: dict[tuple[str, int], int] = {}  # to the position of the best candidate
        for position in np.argsort(-fused, kind="stable")[:ranked]:
            row = candidates[position]
            if contents[row] in tracks:
                best.setdefault((contents[row], sections[row]), int(position))
        seen_all = rows.shape[1] < wanted or wanted >= len(contents)
        if seen_all or len(best) >= k:
            break
        wanted = min(4 * wanted, len(contents))
    found = [
        FoundPassage(
            float(fused[position]), content, opened, int(candidates[position]), tracks[content]
        )
        for (content, _), position in list(best.items())[:k]
    ]
    scored = Scored(scores, [contents[row] for row in candidates], tracks)
    return found, scored, seen_all and len(best) <= k


def _highest(scores: Array, count: int, allowed: NDArray[np.bool_] | None) -> Rows:
    """The rows with the highest of the scores (N,), in no order."""
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    return rows if count >= len(rows) else rows[np.argpartition(-scores[rows], count - 1)[:count]]


def _points(query: Query) -> Array:
    """The draws of a query (Q, D), and a row for its anchor if it has one."""
    anchor = query.anchor
    return query.vectors if anchor is None else np.concatenate([query.vectors, anchor])


def _scores(query: Query, points: Array, vectors: Array, share: float) -> tuple[Array, Array]:
    """The scores of passages (C, D) under every draw (Q, C), and fused (C,)."""
    draws = len(query.vectors)
    scores = points @ vectors.T
    anchored = scores[draws] if len(points) > draws else None
    return scores[:draws], fuse(scores[:draws], anchored, share)


def count_votes(
    scored: Sequence[Scored], k: int | None, copies: Container[str] = ()
) -> dict[str, int]:
    """How many draws have each competing recording near their top (`Hit.votes`).

    Contents among `copies` take no place: the recording they belong to has one.
    """
    votes: dict[str, int] = {}
    for library in scored:
        quarter = max(1, len(library.tracks) // QUARTER)
        within = quarter if k is None else min(k, quarter)
        competes = [c in library.tracks and c not in copies for c in library.contents]
        for row in library.scores:
            chosen: set[str] = set()
            for position in np.argsort(-row, kind="stable"):
                if competes[position]:
                    chosen.add(library.contents[position])
                if len(chosen) == within:
                    break
            for content in chosen:
                votes[content] = votes.get(content, 0) + 1
    return votes


def by_content(tracks: Sequence[Track]) -> dict[str, list[Track]]:
    """Group tracks by their content, so that copies of one recording are together."""
    grouped: dict[str, list[Track]] = {}
    for track in tracks:
        grouped.setdefault(track.content, []).append(track)
    return grouped
