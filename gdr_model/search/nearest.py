"""Rank the tracks of libraries by their nearness to points that were drawn.

Shapes: Q draws, D latent width, C candidates, T seconds. Points are unit rows of the search
space; every score is a cosine, or a mean of cosines.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.index import HnswIndex
from gdr_model.search.whitening import Whitening
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

    @classmethod
    def open(cls, library: Library, space: LatentSpace, whitening: Whitening) -> OpenLibrary:
        """The library with its index, rebuilt where that is missing or out of date."""
        index = HnswIndex.open(library, space, whitening)
        return cls(library, index, space, whitening, by_content(library.tracks()))

    def refresh(self) -> int:
        """Pick up what has been indexed since; returns how many passages are new."""
        added = self.index.refresh()
        self.tracks = by_content(self.library.tracks())
        return added

    def count(self) -> int:
        """How many tracks it has."""
        return _size(self.tracks)

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
        return Hit(self.track, self.start_s, self.end_s, self.score, self.votes, profile)


@dataclass(frozen=True)
class Ranking:
    """Tracks by their score, and how many competed."""

    tracks: tuple[RankedTrack, ...]
    """Best first; equals in the order of their paths, copies of a recording one after another."""
    competing: int
    filtered: int
    """Tracks that the filter excluded."""
    banned: int
    """Tracks that passed the filter and were excluded by a dislike."""


def rank(
    query: Query,
    libraries: Sequence[OpenLibrary],
    share: float,
    where: str | None = None,
    k: int | None = None,
) -> Ranking:
    """Rank the tracks of all libraries together.

    A recording that the query dislikes does not compete, nor does any copy of it.

    Args:
        query: the points to rank by.
        libraries: whose tracks compete.
        share: the anchor's (see `fuse`).
        where: a filter (see `store.filters`).
        k: how many tracks to return; None ranks all that compete.

    Raises:
        UsageError: if the filter cannot be read.
    """
    recordings: list[_Recording] = []
    competing = filtered = banned = 0
    disliked = _contents(query.steering.dislikes, libraries)
    for opened in libraries:
        tracks = opened.tracks
        allowed = None
        if where is not None:
            tracks = by_content(opened.library.tracks(where))
            contents = opened.index.passages.contents
            allowed = np.array([content in tracks for content in contents], np.bool_)
            filtered += opened.count() - _size(tracks)
        left_out = {content: tracks[content] for content in disliked if content in tracks}
        if left_out:
            tracks = {content: same for content, same in tracks.items() if content not in left_out}
            banned += _size(left_out)
        competing += _size(tracks)
        most = len(tracks) if k is None else k
        recordings += _of_library(query, opened, most, tracks, allowed, share)
    # The path decides between equals, so that the order never depends on the index.
    recordings.sort(key=lambda recording: (-recording.score, recording.tracks[0].path))
    ranked = [
        RankedTrack(track, recording.score, recording.votes, recording.library, recording.row)
        for recording in recordings
        for track in recording.tracks
    ]
    return Ranking(tuple(ranked[:k]), competing, filtered, banned)


@dataclass(frozen=True)
class _Recording:
    """The best passage of a recording, and the tracks that hold it."""

    score: float
    votes: int
    library: OpenLibrary
    row: int
    tracks: list[Track]


def _contents(paths: Sequence[str], libraries: Sequence[OpenLibrary]) -> set[str]:
    """The contents of the files that some library holds."""
    tracks = {opened.library.track(Path(path)) for path in paths for opened in libraries}
    return {track.content for track in tracks if track is not None}


def _size(tracks: dict[str, list[Track]]) -> int:
    return sum(map(len, tracks.values()))


def _of_library(
    query: Query,
    opened: OpenLibrary,
    k: int,
    tracks: dict[str, list[Track]],
    allowed: NDArray[np.bool_] | None,
    share: float,
) -> list[_Recording]:
    """The best passage of each of the k best recordings of one library.

    Passages outnumber tracks, so the search widens until k recordings have been found or every
    passage has been seen.
    """
    contents, vectors = opened.index.passages.contents, opened.index.vectors
    draws, anchor = len(query.vectors), query.anchor
    points = query.vectors if anchor is None else np.concatenate([query.vectors, anchor])
    wanted = min(max(CANDIDATES, 4 * k), len(contents))
    while True:
        rows, _ = opened.index.search(points, wanted, allowed)
        candidates = np.unique(rows)
        scores = points @ vectors[candidates].T  # (Q, C), and a row of the anchor
        scores, anchored = scores[:draws], scores[draws] if len(points) > draws else None
        fused = fuse(scores, anchored, share)
        best: dict[str, int] = {}  # content to the position of its best candidate
        for position in np.argsort(-fused, kind="stable"):
            content = contents[candidates[position]]
            if content in tracks:
                best.setdefault(content, int(position))
        if len(best) >= min(k, len(tracks)) or rows.shape[1] < wanted or wanted >= len(contents):
            break
        wanted = min(4 * wanted, len(contents))
    within = min(k, max(1, len(tracks) // QUARTER))
    votes = _votes(scores, [contents[row] for row in candidates], within, tracks)
    return [
        _Recording(
            float(fused[position]),
            votes.get(content, 0),
            opened,
            int(candidates[position]),
            tracks[content],
        )
        for content, position in list(best.items())[:k]
    ]


def _votes(scores: Array, contents: list[str], k: int, competing: Container[str]) -> dict[str, int]:
    """How many draws (Q, C) have each competing recording among their own best k."""
    votes: dict[str, int] = {}
    for row in scores:
        chosen: set[str] = set()
        for position in np.argsort(-row, kind="stable"):
            if contents[position] in competing:
                chosen.add(contents[position])
            if len(chosen) == k:
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
