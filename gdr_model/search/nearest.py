"""Around points that are drawn already: the nearest tracks of some libraries, and their scores.

Shapes: Q draws, D latent width, C candidates, T seconds. Points are unit rows of the search
space; every score is a cosine.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.index import HnswIndex
from gdr_model.search.whitening import Whitening, unit
from gdr_model.store.library import Library
from gdr_model.types import Array, Hit, LatentSpace, Query, Track

CANDIDATES = 200
"""Passages each draw brings before fusion, at least; four times k where that is more."""
QUARTER = 4
"""A draw finds one of so many at most: to be among the best 50 of 60 tracks says nothing."""


def fuse(scores: Array, anchored: Array | None = None, share: float = 0.0) -> Array:
    """Scores of candidates under each draw (Q, C), and the anchor (C,), to one score each (C,).

    Every draw, and the anchor where there is one, is searched on its own, so a passage near to
    one interpretation of the words becomes a candidate even where their average is far from it.
    The candidates of all are then ranked together, by their mean cosine to the draws and, for a
    share, by their cosine to the anchor: the point a contrastive tower gives the words.
    On the built-in model the two together find more than either alone (its card).
    """
    drawn = scores.mean(axis=0)
    fused = drawn if anchored is None else (1 - share) * drawn + share * anchored
    return np.asarray(fused, dtype=np.float32)


@dataclass
class Shelf:
    """A library opened for searching."""

    library: Library
    index: HnswIndex
    tracks: dict[str, list[Track]]  # by content

    @classmethod
    def open(cls, library: Library, space: LatentSpace, whitening: Whitening) -> Shelf:
        """The library with its index, rebuilt where that is missing or out of date."""
        index = HnswIndex.open(library, space, whitening)
        return cls(library, index, by_content(library.tracks()))

    def refresh(self) -> int:
        """Pick up what has been indexed since; returns how many passages are new."""
        added = self.index.refresh()
        self.tracks = by_content(self.library.tracks())
        return added

    def rows_of(self, content: str) -> Array:
        """The passages (P, D) of one recording; none where it has no latents."""
        rows = [row for row, of in enumerate(self.index.passages.contents) if of == content]
        return self.index.vectors[rows]


@dataclass(frozen=True)
class Found:
    """The best passage of a recording."""

    score: float
    votes: int
    """How many draws found the recording (`Hit.votes`)."""
    shelf: Shelf
    row: int
    tracks: list[Track]


@dataclass
class Competition:
    """How many tracks may be found, and what kept the others out."""

    competing: int = 0
    filtered: int = 0
    banned: int = 0
    """Of those the filter let through."""


def nearest(
    query: Query,
    shelves: Sequence[Shelf],
    k: int,
    where: str | None,
    share: float,
) -> tuple[list[Found], Competition]:
    """The best recordings of all shelves, at least k tracks of them, and who competed.

    A recording that the query dislikes is no answer, nor is any copy of it. `share` is the
    anchor's (see `fuse`).

    Raises:
        UsageError: if the filter cannot be read.
    """
    ranked: list[Found] = []
    count = Competition()
    banned = _contents(query.steering.dislikes, shelves)
    for shelf in shelves:
        tracks = shelf.tracks
        allowed = None
        if where is not None:
            tracks = by_content(shelf.library.tracks(where))
            allowed = np.array([c in tracks for c in shelf.index.passages.contents], np.bool_)
            count.filtered += _size(shelf.tracks) - _size(tracks)
        if out := {content: tracks[content] for content in banned if content in tracks}:
            tracks = {content: same for content, same in tracks.items() if content not in out}
            count.banned += _size(out)
        count.competing += _size(tracks)
        ranked += _on_shelf(query, shelf, k, tracks, allowed, share)
    # The path decides between equals, so that the order never depends on the index.
    ranked.sort(key=lambda found: (-found.score, found.tracks[0].path))
    return ranked, count


def _contents(paths: Sequence[str], shelves: Sequence[Shelf]) -> set[str]:
    """The sound of those of some files that a library holds."""
    found = {shelf.library.track(Path(path)) for path in paths for shelf in shelves}
    return {track.content for track in found if track is not None}


def _size(tracks: dict[str, list[Track]]) -> int:
    return sum(map(len, tracks.values()))


def _on_shelf(
    query: Query,
    shelf: Shelf,
    k: int,
    tracks: dict[str, list[Track]],
    allowed: NDArray[np.bool_] | None,
    share: float,
) -> list[Found]:
    """The best passage of each recording of one shelf.

    Passages outnumber tracks, so the search widens until k recordings have been found or every
    passage has been seen.
    """
    contents = shelf.index.passages.contents
    draws, anchor = len(query.vectors), query.anchor
    asked = query.vectors if anchor is None else np.concatenate([query.vectors, anchor])
    wanted = min(max(CANDIDATES, 4 * k), len(contents))
    while True:
        rows, _ = shelf.index.search(asked, wanted, allowed)
        candidates = np.unique(rows)
        scores = asked @ shelf.index.vectors[candidates].T  # (Q, C), and a row of the anchor
        scores, anchored = scores[:draws], scores[draws] if len(asked) > draws else None
        fused = fuse(scores, anchored, share)
        best: dict[str, int] = {}
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
        Found(
            float(fused[position]),
            votes.get(content, 0),
            shelf,
            int(candidates[position]),
            tracks[content],
        )
        for content, position in list(best.items())[:k]
    ]


def _votes(scores: Array, contents: list[str], k: int, competing: Container[str]) -> dict[str, int]:
    """How many draws have each recording that competes among their own best k."""
    votes: dict[str, int] = {}
    for row in scores:
        found: set[str] = set()
        for position in np.argsort(-row, kind="stable"):
            if contents[position] in competing:
                found.add(contents[position])
            if len(found) == k:
                break
        for content in found:
            votes[content] = votes.get(content, 0) + 1
    return votes


def hits(
    query: Query,
    found: Sequence[Found],
    k: int,
    space: LatentSpace,
    whitening: Whitening,
    share: float,
) -> tuple[Hit, ...]:
    """The first k tracks of recordings found, each with its profile over time."""
    anchor = None if query.anchor is None else query.anchor[0]
    towards = unit(fuse(query.vectors, anchor, share))
    listed = [(one, track) for one in found for track in one.tracks][:k]
    shown = []
    for one, track in listed:
        latents = one.shelf.library.latents(track.content, space)
        passages = one.shelf.index.passages
        start_s, end_s = float(passages.starts_s[one.row]), float(passages.ends_s[one.row])
        profile = whitening.apply(latents) @ towards
        shown.append(Hit(track, start_s, end_s, one.score, one.votes, profile))
    return tuple(shown)


def by_content(tracks: Sequence[Track]) -> dict[str, list[Track]]:
    """Tracks by their content: copies of one recording stand together."""
    grouped: dict[str, list[Track]] = {}
    for track in tracks:
        grouped.setdefault(track.content, []).append(track)
    return grouped
