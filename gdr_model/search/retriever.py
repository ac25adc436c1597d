"""Search by a generated query: draw points (`drawing`), rank what is near them (`nearest`).

The command line, the app and the evaluations all come through `Retriever`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from gdr_model.audio import decode
from gdr_model.errors import DecodeError, UsageError
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.models.checkpoint import Model
from gdr_model.search import nearest, spread
from gdr_model.search.drawing import Drawer
from gdr_model.search.index import HnswIndex
from gdr_model.search.indexed.protocol import Opener
from gdr_model.search.nearest import OpenLibrary, Ranking
from gdr_model.search.recordings.copies import Copies
from gdr_model.search.recordings.likeness import bounds_of
from gdr_model.search.recordings.listing import listed, points
from gdr_model.search.whitening import unit
from gdr_model.steering import Steering
from gdr_model.store.library import Library
from gdr_model.types import Array, Cancel, Method, Query, Results, never

_Asked = tuple[Steering, str | None, Limits]


@dataclass
class _Lists:
    """The lists from the same draws."""

    asked: _Asked | None = None
    """The draws of the latest roll, its filter and its limits."""
    shown: list[set[str]] = field(default_factory=list)
    """The contents that each list showed, the closest list first."""
    apart: float = 0.0
    """How far the recordings of the closest list are apart."""


class Retriever:
    """A model and the libraries it searches."""

    def __init__(
        self,
        model: Model,
        libraries: Sequence[Library],
        remember: int = 0,
        opener: Opener = HnswIndex.open,
    ) -> None:
        """Open the index of every library, rebuilding what is missing or out of date.

        Args:
            model: draws the queries.
            libraries: what is searched.
            remember: how many draws are kept, so that a query that differs in likes, dislikes
                or filters alone is answered without drawing again.
            opener: opens an index.

        Raises:
            SpaceMismatch: if a library holds latents, but none of this model's space.
        """
        self.model = model
        self.opener = opener
        self.libraries = [self._open(library) for library in _apart(libraries)]
        self.copies = Copies(self.libraries, bounds_of(model.space))
        self.drawer = Drawer(model, self._latents, remember)
        self._lists = _Lists()

    def _open(self, library: Library) -> OpenLibrary:
        spaces = library.spaces()
        if spaces and self.model.space not in spaces:
            raise self.model.config.space_mismatch(spaces, library.root)
        model = self.model
        return OpenLibrary.open(
            library, model.space, model.whitening, self.opener, model.common_points
        )

    def refresh(self) -> int:
        """Pick up what has been indexed since; returns how many passages are new."""
        self.drawer.forget()  # the source of an edit may be another sound now
        self._lists = _Lists()
        return sum(library.refresh() for library in self.libraries)

    def count(self) -> int:
        """How many tracks can be found."""
        return sum(library.count() for library in self.libraries)

    def search(
        self,
        steering: Steering,
        k: int = 20,
        where: str | None = None,
        method: Method = Method.GDR,
        cancelled: Cancel = never,
        *,
        limits: Limits = NO_LIMITS,
        every_file: bool = False,
    ) -> Results:
        """The k recordings nearest to what the steering draws, best first.

        All tracks compete when k reaches the size of the library; with `where` the filter
        decides which compete, then the ranking. See `answer`.

        Raises:
            UsageError: for a k below 1, an unknown method or a filter that cannot be read.
            ModelError: if the model cannot search by this method.
            DecodeError: if a liked file or an edit's source cannot be decoded.
            Cancelled: when asked.
        """
        began = time.perf_counter()
        query = self.query(steering, method, cancelled)
        draw_s = time.perf_counter() - began
        return self.answer(query, k, where, limits=limits, every_file=every_file, draw_s=draw_s)

    def query(
        self, steering: Steering, method: Method = Method.GDR, cancelled: Cancel = never
    ) -> Query:
        """Draw the points of a steering in the search space; see `Drawer.query`."""
        return self.drawer.query(steering, method, cancelled)

    def answer(
        self,
        query: Query,
        k: int = 20,
        where: str | None = None,
        *,
        limits: Limits = NO_LIMITS,
        every_file: bool = False,
        draw_s: float = 0.0,
    ) -> Results:
        """The k recordings nearest to a query, with their profiles.

        Args:
            query: the points to search with.
            k: how many recordings, or files.
            where: a filter (see `store.filters`).
            limits: how many of an artist or an album there can be, unless every file is listed.
            every_file: list every copy of a recording as a result of its own.
            draw_s: how long drawing took, which is reported as it is.

        Raises:
            UsageError: for a k below 1 or a filter that cannot be read.
        """
        if k < 1:
            raise UsageError(f"cannot return {k} results; ask for 1 or more")
        began = time.perf_counter()
        query = self.after_lists(query, where, NO_LIMITS if every_file else limits)
        ranking = (
            self.rank(query, where, k) if every_file else self.recordings(query, where, k, limits)
        )
        centre = self.centre(query)
        return Results(
            tuple(ranked.hit(centre) for ranked in ranking.tracks),
            query,
            ranking.competing,
            _agreement(query.vectors),
            draw_s=draw_s,
            search_s=time.perf_counter() - began,
            filtered=ranking.filtered,
            banned=ranking.banned,
        )

    def rank(self, query: Query, where: str | None = None, k: int | None = None) -> Ranking:
        """The tracks that compete with their scores, best first: all of them, or the best k.

        Every file is ranked, copies too. No track has a profile.

        Raises:
            UsageError: if the filter cannot be read.
        """
        query = self.after_lists(query, where)
        return nearest.rank(query, self.libraries, self.share(query), where, k)

    def recordings(
        self,
        query: Query,
        where: str | None = None,
        k: int | None = None,
        limits: Limits = NO_LIMITS,
    ) -> Ranking:
        """The recordings that compete with their scores, best first: all of them, or the best k.

        Raises:
            UsageError: if the filter cannot be read.
        """
        query = self.after_lists(query, where, limits)
        return listed(query, self.libraries, self.share(query), self.copies, where, k, limits)

    def after_lists(
        self, query: Query, where: str | None = None, limits: Limits = NO_LIMITS
    ) -> Query:
        """A roll's query with what the lists before it showed; any other query as it is.

        They are ranked once, under the same filter and limits, and cost no drawing.

        Raises:
            UsageError: if the filter cannot be read.
        """
        steering, place = query.steering, spread.place(query.steering)
        if not place or query.draws is not None or query.method != Method.GDR:
            return query
        if not steering.worded:
            return query
        key = replace(query.steering, roll=steering.roll - place + 1), where, limits
        if self._lists.asked != key:
            self._lists = _Lists(key)
        lists = self._lists
        for earlier in range(len(lists.shown), place):
            taken = spread.taken(lists.shown, steering, lists.apart)
            asked = replace(self.drawer.rolled(query, earlier), shown=taken)
            found = listed(
                asked, self.libraries, self.share(query), self.copies, where, spread.LOOK, limits
            ).tracks
            if not earlier:
                lists.apart = spread.apart(points(found))
            lists.shown.append(
                {track.content for ranked in found for track in (ranked.track, *ranked.copies)}
            )
        return replace(query, shown=spread.taken(lists.shown[:place], steering, lists.apart))

    def centre(self, query: Query) -> Array:
        """The one unit point (D,) whose cosines come nearest to the scores of a query."""
        anchor = None if query.anchor is None else query.anchor[0]
        return unit(nearest.fuse(query.vectors, anchor, self.share(query), query.weights))

    def share(self, query: Query) -> float:
        """The share of a query's scores that its anchor has, if it has one."""
        return spread.share(query.steering, self.model.config.anchor_share)

    def _latents(self, path: str) -> Array:
        """Latents (T, D) of a file: from a library that holds it, else decoded and encoded."""
        for opened in self.libraries:
            track = opened.library.track(Path(path))
            if track is not None and opened.library.has_latents(track.content, self.model.space):
                return opened.library.latents(track.content, self.model.space)
        try:
            audio = decode(Path(path), self.model.space.sample_rate_hz)
        except DecodeError as error:
            raise DecodeError(f"{path}: {error}") from error
        return self.model.encoder.encode(audio.samples)


def _apart(libraries: Sequence[Library]) -> list[Library]:
    """The libraries without those that are, or are part of, another one: no track counts twice."""
    apart: list[Library] = []
    for library in sorted(libraries, key=lambda each: len(each.part)):
        if not any(library.is_part_of(other) for other in apart):
            apart.append(library)
    return sorted(apart, key=libraries.index)


def _agreement(draws: Array) -> float:
    """Mean cosine between different draws (Q, D); 1 where there is only one."""
    gram = draws @ draws.T  # (Q, Q)
    pairs = len(gram) * (len(gram) - 1)
    return float((gram.sum() - np.trace(gram)) / pairs) if pairs else 1.0
