"""The session's part for the map of the library: projected once, kept, asked for positions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gdr_model.types import Array, Cancel, Track, never
from gdr_tui.app.map.points import Course, Mapped
from gdr_tui.app.retrievers import Retrievers

if TYPE_CHECKING:
    from gdr_model.models.checkpoint import Model
    from gdr_model.search.library_map import Atlas
    from gdr_tui.app.trail.trail import Node

STEPS = 8
"""Queries of the trail that the path on the map goes through."""
BETTER = "for better groups: pip install 'gdr-tui[map]'"


class Mapper:
    """Projects the library to the plane."""

    def __init__(self, retrievers: Retrievers) -> None:
        self._retrievers = retrievers
        self._mapping = threading.Lock()
        """One map is computed at a time."""
        self._atlas: Atlas | None = None
        self._mapped: Mapped | None = None
        self._mapped_from: tuple[Model, list[int]] | None = None

    def map(
        self,
        show: Callable[[Mapped], object],
        report: Callable[[float], object] = lambda _: None,
        cancelled: Cancel = never,
    ) -> None:
        """Project every track and show the map; where that is slow, a quick projection comes first.

        Raises:
            Cancelled: when asked.
        """
        with self._mapping:
            now = self._retrievers.model(), self._retrievers.generations()
            if self._mapped is None or self._mapped_from != now:
                self._project(show, report, cancelled)
                self._mapped_from = now
            else:
                show(self._mapped)

    def course(self, mapped: Mapped, node: Node) -> Course:
        """Where a query was drawn, and the path that the trail took to it."""
        line = list(node.line())[:STEPS][::-1]
        drawn = [step.results.query.vectors for step in line]
        means = [rows.mean(axis=0) for rows in drawn if len(rows)]
        asked = [*(rows for rows in drawn[-1:] if len(rows)), *(mean[None] for mean in means)]
        placed = self._place(np.concatenate(asked)) if asked else np.empty((0, 2), np.float32)
        draws, rest = placed[: len(drawn[-1])], iter(placed[len(drawn[-1]) :])
        # Of a query from an earlier session the results were saved, but not the draws.
        path = [
            next(rest)
            if len(rows)
            else mapped.middle([h.track.path for h in step.results.hits[:5]])
            for step, rows in zip(line, drawn, strict=True)
        ]
        return Course(_known(draws), _known(np.array(path, np.float32).reshape(-1, 2)))

    def _project(
        self,
        show: Callable[[Mapped], object],
        report: Callable[[float], object],
        cancelled: Cancel,
    ) -> None:
        from gdr_model.search import library_map
        from gdr_model.store.records import file_stem

        with self._retrievers.retriever() as retriever:  # all this is replaced, never changed
            indexes = [opened.index for opened in retriever.libraries]
            parts = [(index.passages.contents.names, index.recordings) for index in indexes]
            tracks = [track for s in retriever.libraries for track in s.library.tracks()]
        recordings = library_map.Recordings.of(parts)
        best = library_map.best_method()
        folder = retriever.libraries[0].library.store / "map"
        name = file_stem(retriever.model.space, retriever.model.whitening.fingerprint)
        atlas = library_map.cached(folder, name, recordings, best)
        if atlas is None:
            atlas = library_map.by_pca(recordings)
            if best == library_map.TSNE:
                self._atlas = atlas
                show(_mapped(atlas, tracks, preliminary=True))
                atlas = library_map.by_tsne(recordings, cancelled, report)
            library_map.keep(folder, name, recordings, atlas, best)
        self._atlas = atlas
        self._mapped = _mapped(atlas, tracks, could_be_better=BETTER * (best != library_map.TSNE))
        show(self._mapped)

    def _place(self, points: Array) -> Array:
        """Positions (Q, 2) of points (Q, D)."""
        atlas = self._atlas
        if atlas is None:
            return np.full((len(points), 2), np.nan, np.float32)
        with self._retrievers.retriever() as retriever:
            return atlas.place(points, [opened.index for opened in retriever.libraries])


def _mapped(
    atlas: Atlas, tracks: Sequence[Track], *, preliminary: bool = False, could_be_better: str = ""
) -> Mapped:
    """One point per track, sorted by path."""
    known = sorted((t for t in tracks if t.content in atlas.row_of), key=lambda t: str(t.path))
    rows = [atlas.row_of[track.content] for track in known]
    return Mapped.of(
        known,
        atlas.xy[rows] if rows else np.empty((0, 2), np.float32),
        atlas.method,
        atlas.fitted,
        preliminary=preliminary,
        could_be_better=could_be_better,
    )


def _known(xy: Array) -> Array:
    return xy[np.isfinite(xy).all(axis=1)]
