"""The index of a library whose passages Milvus proposes.

What it proposes is scored with the store's own exact vectors, so answers are those of the exact
index wherever Milvus finds the nearest passages. It is asked only while the server has the whole
library: after an upload is complete, until the library changes. Otherwise the exact index answers,
and so it does for a k beyond what Milvus returns and for a filter too long to send. A filter has
been resolved to contents before it comes here; Milvus gets them as a list of those to search, or of
those to leave out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import Hint, IndexUnavailable
from gdr_model.search.index import HnswIndex
from gdr_model.search.indexed.best import best_of
from gdr_model.search.indexed.graphs import Report
from gdr_model.search.indexed.vectors import Rows, Vectors
from gdr_model.search.milvus.address import PREFIX, Address
from gdr_model.search.milvus.kept import Kept
from gdr_model.search.milvus.proposals import Searchable
from gdr_model.search.milvus.server import Server
from gdr_model.search.milvus.upload import Held, Shelves
from gdr_model.search.whitening import Whitening
from gdr_model.store.library import Library
from gdr_model.store.records import Passages, file_stem
from gdr_model.types import Array, Cancel, LatentSpace, never

Trouble = Callable[[IndexUnavailable], object]
"""Called with why the exact index answers instead of Milvus."""

REST_S = 30.0
"""A server that failed is left alone for so long."""


class MilvusIndex:
    """The passages of one library, searched by Milvus. Safe to use from several threads."""

    def __init__(
        self,
        local: HnswIndex,
        shelves: Shelves,
        kept: Kept,
        incomplete: IndexUnavailable,
        trouble: Trouble,
        strict: bool,
    ) -> None:
        """Use `MilvusIndex.open`."""
        self._local = local
        self._shelves = shelves
        self._kept = kept
        self._incomplete = incomplete
        self._trouble = trouble
        self._strict = strict
        self._lock = threading.RLock()
        self._preparing = threading.Lock()
        self._searchable: Searchable | None = None
        self._looked = False
        """Whether the server was asked what it has of this state of the library."""
        self._rests_until_s = 0.0

    @classmethod
    def open(
        cls,
        library: Library,
        space: LatentSpace,
        whitening: Whitening,
        *,
        address: Address,
        trouble: Trouble = lambda why: None,
        strict: bool = True,
        **sizes: int,
    ) -> MilvusIndex:
        """The index of what a library holds now; the server is not asked before a search.

        Args:
            library: what is indexed.
            space: of the latents.
            whitening: maps them to the search space.
            address: where Milvus is.
            trouble: called with why the exact index answers.
            strict: whether searches and uploads fail if the server does.
            sizes: those of `HnswIndex.open`.

        Raises:
            LibraryError: if the library cannot be read.
        """
        stem = file_stem(space, whitening.fingerprint)
        kept = Kept(library.store / "index" / stem / "milvus.json", address)
        shelves = Shelves(Server(address), stem, space, kept.library)
        incomplete = IndexUnavailable(
            f"the index at {address} lacks some of {library.root}, which is searched without it",
            Hint.UPLOAD,
            root=library.root,
            index=f"{PREFIX}{address}",
        )
        local = HnswIndex.open(library, space, whitening, **sizes)
        return cls(local, shelves, kept, incomplete, trouble, strict)

    @property
    def passages(self) -> Passages:
        """What is indexed."""
        return self._local.passages

    @property
    def vectors(self) -> Vectors:
        """One unit vector a passage."""
        return self._local.vectors

    @property
    def recordings(self) -> Vectors:
        """The mean of each content's passages; rows are those of its codes."""
        return self._local.recordings

    def refresh(self) -> int:
        """See `Index.refresh`."""
        with self._lock:
            before = self._local.passages
            added = self._local.refresh()
            if self._local.passages is not before:
                self._searchable, self._looked = None, False
            return added

    def prepare(
        self,
        report: Report = lambda done, total: None,
        cancelled: Cancel = never,
        threads: int = 1,
    ) -> None:
        """Upload what the server lacks of the library, and delete what only this library had there.

        An interrupted upload continues where it stopped.

        Args:
            report: called with the passages that are uploaded, and how many are to be.
            cancelled: polled between batches.
            threads: not used; the server decides how it builds its graphs.

        Raises:
            IndexUnavailable: if the server fails, and the index is strict.
            LibraryError: if the store cannot be written.
            Cancelled: when asked.
        """
        with self._preparing:
            with self._lock:
                passages, vectors = self._local.passages, self._local.vectors
                if self._searchable is not None:
                    return
            try:
                searchable = self._brought(Held.of(passages), vectors, report, cancelled)
            except IndexUnavailable as error:
                self._rest(error)
                return
            with self._lock:
                if self._local.passages is passages:
                    self._searchable, self._looked = searchable, True

    def search(
        self, queries: Array, k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Rows, Array]:
        """See `Index.search`.

        Raises:
            IndexUnavailable: if the server fails, and the index is strict.
        """
        with self._lock:
            vectors = self._local.vectors
            fits = queries.ndim == 2 and queries.shape[1] == vectors.shape[1]
            near = None
            if fits and len(queries) and len(vectors) and k > 0:
                near = self._proposed(np.ascontiguousarray(queries, np.float32), k, allowed)
            if near is None:
                return self._local.search(queries, k, allowed)
            return best_of(vectors, queries, k, near, same=False)

    def _brought(
        self, held: Held, vectors: Vectors, report: Report, cancelled: Cancel
    ) -> Searchable:
        """The passages, once the server has them."""
        self._kept.write()  # the library's number, before anything is claimed by it
        if not self._is_there(held):
            self._shelves.upload(held, vectors, report, cancelled)
            self._kept.write(held)
        return Searchable(held, self._shelves.count())

    def _proposed(
        self, queries: Array, k: int, allowed: NDArray[np.bool_] | None
    ) -> list[Rows] | None:
        """For each query at least k rows that Milvus finds; None if the exact index has to."""
        if time.monotonic() < self._rests_until_s:
            return None
        try:
            if not self._looked:
                self._look()
            most = len(self._local.vectors) if allowed is None else np.count_nonzero(allowed)
            if self._searchable is None or k >= most:
                return None
            return self._searchable.near(self._shelves, queries, k, allowed)
        except IndexUnavailable as error:
            self._rest(error)
            return None

    def _rest(self, error: IndexUnavailable) -> None:
        """Do without the server for a while, unless the index is strict."""
        if self._strict or error.hint is Hint.INSTALL:
            raise error
        with self._lock:
            self._searchable, self._looked = None, False
            if time.monotonic() >= self._rests_until_s:
                self._trouble(error)
            self._rests_until_s = time.monotonic() + REST_S

    def _look(self) -> None:
        """Find out whether the server has the whole library."""
        held = Held.of(self._local.passages)
        if self._is_there(held):
            self._searchable = Searchable(held, self._shelves.count())
        else:
            self._trouble(self._incomplete)
        self._looked = True

    def _is_there(self, held: Held) -> bool:
        """Whether the server has all of a library, by what this store keeps and by its count."""
        if not self._shelves.open() or not self._kept.has(held):
            return False
        if self._shelves.count() < len(held.keys):  # they were lost there
            return False
        return self._shelves.whole() == len(held.contents)
