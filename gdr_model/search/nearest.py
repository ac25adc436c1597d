"""Rank the tracks of libraries by their nearness to points that were drawn.

Shapes: Q draws, D latent width, C candidates, T seconds. Points are unit rows of the search
space; every score is a cosine, or a mean of cosines.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.index import HnswIndex
from gdr_model.search.indexed.commonness import CommonScores
from gdr_model.search.indexed.protocol import Index, Opener
from gdr_model.search.indexed.shelf import Competing, Shelf
from gdr_model.search.indexed.vectors import Rows
from gdr_model.search.negatives.penalty import NegativePenalties
from gdr_model.search.recordings.sections import sections_of
from gdr_model.search.recordings.votes import count_votes
from gdr_model.search.session.posterior import EvidenceScores
from gdr_model.search.whitening import Whitening
from gdr_model.steering import Steering
from gdr_model.store.library import Library
from gdr_model.types import Array, Hit, LatentSpace, Query, Track

CANDIDATES = 200
"""Passages each draw brings before fusion, at least; four times k where that is more."""


def fuse(
    scores: Array,
    anchored: Array | None = None,
    share: float = 0.0,
    weights: Array | None = None,
) -> Array:
    """Scores of candidates under each draw (Q, C), and the anchor (C,), to one score each (C,).

    Every draw, and the anchor if there is one, is searched separately, so a passage near to one
    interpretation of the words becomes a candidate even if it is far from their average.
    The candidates of all are then ranked together, by their mean cosine to the draws and, for a
    share, by their cosine to the anchor: the point a contrastive tower gives the words.
    A roll has `weights` (Q,) in the place of the mean.
    """
    drawn = scores.mean(axis=0) if weights is None else weights @ scores
    fused = drawn if anchored is None else (1 - share) * drawn + share * anchored
    return np.asarray(fused, dtype=np.float32)


@dataclass(eq=False)
class OpenLibrary:
    """A library opened for searching in one space."""

    library: Library
    index: Index
    space: LatentSpace
    whitening: Whitening
    tracks: Shelf
    """By content, so that copies of one recording are together; read when asked for."""
    sections: Rows
    """The section of its file that each passage of the index belongs to, from 1; 0 for none."""
    evidence: EvidenceScores
    common: CommonScores
    negatives: NegativePenalties = field(default_factory=NegativePenalties)

    @classmethod
    def open(
        cls,
        library: Library,
        space: LatentSpace,
        whitening: Whitening,
        opener: Opener = HnswIndex.open,
        common_points: Array | None = None,
    ) -> OpenLibrary:
        """The library with its index, rebuilt where that is missing or out of date."""
        index = opener(library, space, whitening)
        tracks = Shelf(library, index.passages.contents)
        sections = sections_of(library, index.passages)
        evidence = EvidenceScores(whitening)
        common = CommonScores(common_points)
        return cls(library, index, space, whitening, tracks, sections, evidence, common)

    def refresh(self) -> int:
        """Pick up what has been indexed since; returns how many passages are new."""
        added = self.index.refresh()
        self.tracks = Shelf(self.library, self.index.passages.contents)
        self.sections = sections_of(self.library, self.index.passages)
        return added

    def count(self) -> int:
        """How many tracks it has."""
        return self.tracks.all.count

    def penalties(self, query: Query) -> Array:
        """What each negative of a query takes (N, P) from the score of every passage."""
        index = self.index
        return self.negatives.of(query, index.passages.contents, self.sections, index.vectors)

    def scores(self, query: Query, share: float, products: Array | None = None) -> Array:
        """The score of every passage (P,) under all that a query asks.

        Args:
            query: what is asked.
            share: the anchor's (see `fuse`).
            products: of the query's points with all passages (Q, P), where they are known.
        """
        if products is None:
            products = self.index.vectors.products(_points(query))
        total = _fused(query, products, share)
        total += self.evidence.of(query.judged, self.index.passages)
        total -= self.penalties(query).sum(axis=0)
        if (common := self.common.of(query, self.index)) is not None:
            total -= (1 if query.anchor is None else 1 - share) * common
        if query.shown:
            contents = self.index.passages.contents
            codes, taken = contents.codes_of(list(query.shown)), list(query.shown.values())
            here = codes >= 0
            of_recordings = np.zeros(len(contents.names), np.float32)
            of_recordings[codes[here]] = np.array(taken, np.float32)[here]
            total -= of_recordings[contents.codes]
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

    tracks: list[tuple[OpenLibrary, Competing]]
    filtered: int
    banned: int

    @property
    def competing(self) -> int:
        """How many tracks compete."""
        return sum(tracks.count for _, tracks in self.tracks)


def enter(
    libraries: Sequence[OpenLibrary], where: str | None, left_out: Collection[str]
) -> Entered:
    """Leave out the tracks that a filter excludes, and those with certain contents.

    Raises:
        UsageError: if the filter cannot be read.
    """
    entered: list[tuple[OpenLibrary, Competing]] = []
    filtered = banned = 0
    for opened in libraries:
        kept = opened.tracks.competing(where)
        filtered += opened.count() - kept.count
        tracks, gone = kept.without(left_out)
        banned += gone
        entered.append((opened, tracks))
    return Entered(entered, filtered, banned)


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
    codes: NDArray[np.int32]
    """The content of each candidate (`Contents.codes`)."""
    tracks: Competing


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
    for opened, tracks in entered.tracks:
        most = len(opened.sections) if k is None else k
        sections = opened.sections if by_section else np.zeros_like(opened.sections)
        best, candidates, whole = _of_library(query, opened, most, tracks, share, sections)
        found += best
        scored.append(candidates)
        complete = complete and whole
    # The path decides between equals, so that the order never depends on the index.
    found.sort(key=lambda one: (-one.score, one.tracks[0].path, one.row))
    return Recordings(found, scored, complete)


def _of_library(
    query: Query,
    opened: OpenLibrary,
    k: int,
    tracks: Competing,
    share: float,
    sections: Rows,
) -> tuple[list[FoundPassage], Scored, bool]:
    """The best passage of each of the k best recordings of one library, and whether it has more.

    Passages outnumber tracks, so the search widens until k recordings have been found or every
    passage has been seen. With evidence, negatives, a roll or corrected draws the best of all
    passages are candidates, too: no draw need be near to them.
    """
    contents, vectors = opened.index.passages.contents, opened.index.vectors
    allowed = None if tracks.allows_all else tracks.mask[contents.codes]
    points, products, overall = _points(query), None, None
    common = opened.common.of(query, opened.index)
    some = (each is not None for each in (query.negated, query.weights, common))
    if query.judged or query.shown or any(some):
        products = vectors.products(points)
        overall = opened.scores(query, share, products)
    wanted = min(max(CANDIDATES, 4 * k), len(contents))
    while True:
        if products is None or overall is None:
            leaders = rows = opened.index.search(points, wanted, allowed)[0]
        else:  # every product is there already: a search would multiply again
            rows = np.stack([_highest(each, wanted, allowed) for each in products])
            leaders = _highest(overall, wanted, allowed)
        candidates = np.unique(np.append(rows, leaders))
        scores = vectors.cosines(points, candidates)
        fused, ranked = _fused(query, scores, share), len(candidates)
        if products is not None and overall is not None:
            # Below its highest there can be others that no draw brings.
            rounding = scores - products[:, candidates]
            fused, ranked = overall[candidates] + _fused(query, rounding, share), len(leaders)
            scores = scores - opened.penalties(query).sum(axis=0)[candidates]
            if common is not None:
                scores = scores - common[candidates]
        order = np.argsort(-fused, kind="stable")[:ranked]
        order = order[tracks.mask[contents.codes[candidates[order]]]]
        best = order[_first_of_each(contents.codes[candidates[order]], sections[candidates[order]])]
        seen_all = rows.shape[1] < wanted or wanted >= len(contents)
        if seen_all or len(best) >= k:
            break
        wanted = min(4 * wanted, len(contents))
    chosen = [(int(candidates[at]), float(fused[at])) for at in best[:k].tolist()]
    names = [contents[row] for row, _ in chosen]
    files = tracks.of(dict.fromkeys(names))
    found = [
        FoundPassage(value, name, opened, row, files[name])
        for (row, value), name in zip(chosen, names, strict=True)
        if name in files
    ]
    scored = Scored(scores[: len(query.vectors)], contents.codes[candidates], tracks)
    return found, scored, seen_all and len(best) <= k


def _first_of_each(codes: NDArray[np.int32], sections: Rows) -> Rows:
    """Where each pair of a content and a section occurs first, in the order of these places."""
    pairs = codes.astype(np.int64) * (int(sections.max(initial=0)) + 1) + sections
    return np.sort(np.unique(pairs, return_index=True)[1])


def _highest(scores: Array, count: int, allowed: NDArray[np.bool_] | None) -> Rows:
    """The rows with the highest of the scores (N,), in no order."""
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    return rows if count >= len(rows) else rows[np.argpartition(-scores[rows], count - 1)[:count]]


def _points(query: Query) -> Array:
    """The draws of a query (Q, D), and a row for its anchor if it has one."""
    anchor = query.anchor
    return query.vectors if anchor is None else np.concatenate([query.vectors, anchor])


def _fused(query: Query, scores: Array, share: float) -> Array:
    """One score (C,) of each passage from those of the draws and the anchor (Q, C)."""
    draws = len(query.vectors)
    anchored = scores[draws] if len(scores) > draws else None
    return fuse(scores[:draws], anchored, share, query.weights)
