"""Find the nearest passages: exactly, or among a million and more with the help of HNSW graphs.

`HnswIndex.vectors` holds one unit vector a passage in the search space; rows are positions in it
and in `passages`. Graphs are only made for very large libraries (`prepare`), and only used where
they are faster: while there are none yet, with a filter, and for a k that is a large share of the
library, the full matrix product answers. Whatever is proposed is scored by that product with the
exact vectors, so all ways give the same scores.

What is kept of a library in `index/NAME` is a cache of it (`indexed.cache`, `indexed.graphs`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import LibraryError, SpaceMismatch
from gdr_model.search.indexed import cache, graphs
from gdr_model.search.indexed.best import best_of
from gdr_model.search.indexed.graphs import Maker, Piece, Report, places, proposed
from gdr_model.search.indexed.vectors import Rows, Vectors, rounded
from gdr_model.search.whitening import Whitening
from gdr_model.store.library import Library
from gdr_model.store.records import Contents, Passages, file_stem, shown
from gdr_model.types import Array, Cancel, LatentSpace, never

KEPT_FROM = 20_000
"""Passages from which vectors are kept in 16 bits, in files: reading and whitening so many takes a
tenth of a second, and they take 10 MB."""
EXACT_BELOW = 750_000
"""Fewer passages need no graph: with the product, nine queries of width 128 take 24 ms of one core
at 420,000 passages. A graph is built for minutes, and takes 650 bytes a passage."""
LARGE_SHARE = 0.005
"""A k above this share of the passages is answered exactly: it takes a graph longer."""
_CHUNK = 16_384
_MOST_BLOCKS = 8
_SAMPLE = 200


class HnswIndex:
    """The passages of one library in one search space. Safe to use from several threads.

    A `refresh` can move rows, so rows from before it are not valid afterwards.
    """

    def __init__(
        self,
        library: Library,
        space: LatentSpace,
        whitening: Whitening,
        *,
        exact_below: int = EXACT_BELOW,
        kept_from: int = KEPT_FROM,
        piece: int = graphs.PIECE,
    ) -> None:
        """Use `HnswIndex.open`."""
        self._library = library
        self._space = space
        self._whitening = whitening
        self._exact_below = exact_below
        self._kept_from = kept_from
        self._piece = piece
        self._folder = library.store / "index" / file_stem(space, whitening.fingerprint)
        self._facts = {"space": asdict(space), "whitening": whitening.fingerprint}
        self._maker = Maker(self._folder, self._facts, space.dim)
        self._lock = threading.RLock()
        self._preparing = threading.Lock()
        self._saving = threading.Lock()
        self._stamp = self._kept = ""
        self._pieces: list[Piece] = []
        self._alive: list[int] = []
        self._saved: dict[str, str] = {}
        self._outside: Rows = np.empty(0, np.int64)
        """The rows in no graph."""
        nothing = np.empty(0, np.float32)
        ids = np.empty(0, np.int64)
        self.passages = self._table(ids, Contents.of([]), nothing, nothing, ids)
        self.vectors = self._vectors([], self.passages)
        self.recordings = self._recordings([], self.passages)
        """The mean of each content's passages, as `vectors`; rows are those of its codes."""

    @classmethod
    def open(
        cls,
        library: Library,
        space: LatentSpace,
        whitening: Whitening,
        *,
        exact_below: int = EXACT_BELOW,
        kept_from: int = KEPT_FROM,
        piece: int = graphs.PIECE,
    ) -> HnswIndex:
        """The index of what a library holds now, read from disk if that can be trusted.

        It answers exactly; `prepare` gives it its graphs.

        Args:
            library: what is indexed.
            space: of the latents.
            whitening: maps them to the search space.
            exact_below: fewer passages get no graphs.
            kept_from: from so many passages on, vectors are kept in files.
            piece: passages of a graph.

        Raises:
            LibraryError: if the library cannot be read.
        """
        index = cls(
            library, space, whitening, exact_below=exact_below, kept_from=kept_from, piece=piece
        )
        index._read_kept()
        index.refresh()
        # If the cache cannot be written, on a full disk, it costs only time.
        with contextlib.suppress(LibraryError):
            index.save()
        return index

    def refresh(self) -> int:
        """Add passages that are new and drop those that are gone; returns how many are new."""
        with self._lock:
            stamp = self._library.stamp
            if stamp == self._stamp:
                return 0
            before = self.passages.ids
            passages = self._read()
            same, kept = self._taken_over(passages)
            recordings, vectors = self._recordings(same, passages), self._vectors(kept, passages)
            self.recordings, self.vectors, self.passages = recordings, vectors, passages
            self._stamp = stamp
            self._cover()
            return int((~np.isin(passages.ids, before, assume_unique=True)).sum())

    def prepare(
        self,
        report: Report = lambda done, total: None,
        cancelled: Cancel = never,
        threads: int = 1,
    ) -> None:
        """Load the graphs that are on disk, and build those that are missing.

        Meanwhile queries are answered, by the graphs that are there and exactly beyond them. A
        graph is kept as soon as it is finished, and used at once.

        Args:
            report: called with the passages that have been added to graphs, and how many are to be.
            cancelled: polled while graphs are built.
            threads: how many graphs are built at the same time; whatever it is, equal libraries
                give equal graphs.

        Raises:
            LibraryError: if the library cannot be read.
            Cancelled: when asked.
        """
        with self._preparing:
            with self._lock:
                ids, vectors = self.passages.ids, self.vectors
            if len(ids) < self._exact_below:
                return
            if not self._pieces:
                pieces, self._saved = self._maker.load(ids, vectors)
                self._take(pieces)
            with self._lock:
                ids, vectors, runs = self.passages.ids, self.vectors, self._missing()
            for piece in self._maker.build(runs, ids, vectors, threads, report, cancelled):
                self._take([*self._pieces, piece])
                with contextlib.suppress(LibraryError):
                    self.save()

    def search(
        self, queries: Array, k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Rows, Array]:
        """The k best rows of each query and their cosines, best first; ties by row.

        Args:
            queries: unit rows (Q, D) of the search space.
            k: how many; fewer are returned if there are fewer.
            allowed: (N,) True for the rows that can be returned.

        Returns:
            Rows and scores, both (Q, k).
        """
        with self._lock:
            if queries.ndim != 2 or queries.shape[1] != self._space.dim:
                raise SpaceMismatch(
                    f"a query of shape {queries.shape} cannot be compared with {self._space}"
                )
            count = len(self.vectors)
            rows = None if allowed is None else np.flatnonzero(allowed)
            k = max(0, min(k, count if rows is None else len(rows)))
            if not k or not len(queries):
                shape = len(queries), k
                return np.empty(shape, np.int64), np.empty(shape, np.float32)
            queries = np.ascontiguousarray(queries, np.float32)
            near = None
            if self._pieces and rows is None and k <= LARGE_SHARE * count:
                near = self._near_by_graphs(queries, k)
            if near is None:
                near = self._near(queries, k, rows)
            everything = k == (count if rows is None else len(rows))
            return best_of(self.vectors, queries, k, near, same=everything)

    def save(self) -> None:
        """Keep the vectors of a large library and its graphs in files, where that was not done yet.

        Raises:
            LibraryError: if the disk cannot be written.
        """
        with self._saving:
            with self._lock:  # files are written without it: a query does not wait for the disk
                stamp, passages = self._stamp, self.passages
                recordings, vectors = self.recordings, self.vectors
                pieces = self._pieces
            if len(passages.ids) < self._kept_from:
                return
            try:
                if self._kept != stamp:
                    arrays = recordings.whole(), vectors.whole()
                    kept = cache.write(self._folder, self._facts, stamp, passages, *arrays)
                    self._kept = stamp
                    recordings = self._recordings([kept[0]], passages)
                    vectors = self._vectors([kept[1]], passages)
                    # Passages stay the same object: whoever searches now holds rows of them.
                    with self._lock:
                        if self.passages is passages:
                            self.recordings, self.vectors = recordings, vectors
                if any(piece.file not in self._saved for piece in pieces):
                    self._saved = self._maker.save(pieces, self._saved)
            except (OSError, RuntimeError) as error:
                raise LibraryError(
                    f"the index in {shown(self._folder)} cannot be written: {error}"
                ) from error

    def _read_kept(self) -> None:
        """Take passages and vectors from the cache, if it can be trusted."""
        kept = cache.read(self._folder, self._facts, self._space.dim)
        if kept is None or len(kept.ids) < self._kept_from:
            return
        passages = self._table(kept.ids, kept.contents, kept.starts_s, kept.ends_s, kept.mean_rows)
        # A library restored from a backup can assign the same ids to other passages.
        rows = np.arange(0, len(kept.ids), max(1, len(kept.ids) // _SAMPLE))
        # Damaged means can be any number; whoever needs them reports them.
        with contextlib.suppress(LibraryError), np.errstate(over="ignore", invalid="ignore"):
            if np.array_equal(rounded(self._exact(passages, rows, False)), kept.vectors[rows]):
                self.vectors = self._vectors([kept.vectors], passages)
                self.recordings = self._recordings([kept.recordings], passages)
                self.passages = passages
                self._kept = self._stamp = kept.stamp

    def _read(self) -> Passages:
        """The passages there are now; those that were there before are not read again."""
        before = self.passages
        if len(before.ids) and self._library.still_has(self._space, before.ids):
            more = self._library.passages(self._space, after=int(before.ids[-1]))
            return before.followed_by(more)
        return self._library.passages(self._space)

    def _taken_over(self, passages: Passages) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """The rows of `recordings` and `vectors` that passages have in common with those here.

        They are the first of each. Rows behind them are new.
        """
        before = self.passages
        if self.vectors.is_rounded != (len(passages.ids) >= self._kept_from):
            return [], []
        if np.array_equal(passages.ids[: len(before.ids)], before.ids):
            return self.recordings.blocks, self.vectors.blocks
        still = places(passages.ids, before.ids)
        if not np.array_equal(passages.ids[: len(still)], before.ids[still]):
            return [], []
        codes = before.contents.codes[still].astype(np.int64)
        _, first = np.unique(codes, return_index=True)
        recordings = self.recordings.stored(codes[np.sort(first)])
        return [recordings], [self.vectors.stored(still)]

    def _recordings(self, blocks: list[NDArray[Any]], passages: Passages) -> Vectors:
        count = len(passages.contents.names)
        return self._completed(blocks, count, partial(self._exact_recordings, passages), passages)

    def _vectors(self, blocks: list[NDArray[Any]], passages: Passages) -> Vectors:
        return self._completed(blocks, len(passages.ids), partial(self._exact, passages), passages)

    def _completed(
        self,
        blocks: list[NDArray[Any]],
        count: int,
        exact: Callable[[Rows, bool], Array],
        passages: Passages,
    ) -> Vectors:
        """Vectors of which the first are there, and the others are computed."""
        is_large = len(passages.ids) >= self._kept_from
        taken = sum(map(len, blocks))
        fresh = np.empty((count - taken, self._space.dim), np.int16 if is_large else np.float32)
        for at in range(0, len(fresh), _CHUNK):
            rows = np.arange(taken + at, min(taken + at + _CHUNK, count))
            found = exact(rows, True)
            fresh[at : at + len(rows)] = rounded(found) if is_large else found
        if len(blocks) > _MOST_BLOCKS:
            blocks = [blocks[0], np.concatenate(blocks[1:])]
        return Vectors([*blocks, fresh], self._space.dim, exact)

    def _exact(self, passages: Passages, rows: Rows, checked: bool) -> Array:
        return self._whitening.apply(passages.read_means(passages.mean_rows[rows], checked))

    def _exact_recordings(self, passages: Passages, codes: Rows, checked: bool) -> Array:
        starts, counts = passages.contents.starts[codes], passages.contents.counts[codes]
        ends = np.cumsum(counts)
        rows = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + counts, counts)
        means = passages.read_means(passages.mean_rows[rows], checked)
        sums = np.add.reduceat(means, ends - counts) if len(ends) else means
        return self._whitening.apply((sums / counts[:, None]).astype(np.float32))

    def _near(self, queries: Array, k: int, rows: Rows | None) -> list[Rows]:
        """For each query the rows that can be among its k best of some rows, or of all."""
        count = len(self.vectors)
        if k >= (count if rows is None else len(rows)):
            return [np.arange(count) if rows is None else rows] * len(queries)
        # Taking most of the rows apart takes longer than multiplying all of them.
        few = rows is not None and 4 * len(rows) < count
        products = self.vectors.products(queries, rows if few else None)
        if rows is not None and not few:
            products = products[:, rows]
        near = []
        for scores, error in zip(products, self.vectors.error(queries), strict=True):
            least = np.partition(scores, len(scores) - k)[len(scores) - k] - 2 * error
            found = np.flatnonzero(scores >= least)
            near.append(found if rows is None else rows[found])
        return near

    def _near_by_graphs(self, queries: Array, k: int) -> list[Rows] | None:
        """The same for all rows, by the graphs and exactly beyond them; None if they cannot say."""
        found = []
        for piece, alive in zip(self._pieces, self._alive, strict=True):
            near = proposed(piece, alive, queries, min(k, alive), self.passages.ids)
            if near is None:
                return None
            found.append(near)
        if len(self._outside):
            found.append(self._near(queries, min(k, len(self._outside)), self._outside))
        return [np.unique(np.concatenate(parts)) for parts in zip(*found, strict=True)]

    def _take(self, pieces: list[Piece]) -> None:
        with self._lock:
            self._pieces = pieces
            self._cover()

    def _cover(self) -> None:
        """Find out which rows the graphs hold; drop those whose passages are mostly gone."""
        ids = self.passages.ids
        inside = np.zeros(len(ids), np.bool_)
        pieces, self._alive = self._pieces, []
        self._pieces = []
        for piece in pieces:
            rows = places(piece.ids, ids)
            if len(rows) >= max(1, (1 - graphs.MAX_GONE) * len(piece.ids)):
                inside[rows] = True
                self._pieces.append(piece)
                self._alive.append(len(rows))
        self._outside = np.flatnonzero(~inside)

    def _missing(self) -> list[Rows]:
        """Runs of rows in no graph, each enough for one."""
        whole = len(self._outside) // self._piece * self._piece
        return list(self._outside[:whole].reshape(-1, self._piece))

    def _table(self, *columns: Any) -> Passages:
        return self._library.table(self._space, *columns)
