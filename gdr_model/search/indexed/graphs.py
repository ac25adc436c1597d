"""HNSW graphs of the passages of a very large library, each of a run of `PIECE` passages.

In pieces, because a piece is made by one thread and so is the same every time, several are made
at once, and one that is finished is kept whatever happens to the next.

    graph-ID.bin       a graph, labelled by passage ids; ID is the first of them
    manifest.json      what they were made from and with, and their SHA-256

hnswlib trusts any file it is given (another width or metric loads without complaint, a crafted one
writes outside its memory), so the checksum is compared before it reads a byte, and a sample of the
vectors afterwards; what differs is built again.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import hnswlib
import numpy as np
from numpy.typing import NDArray

from gdr_model import atomic, plain
from gdr_model.errors import Cancelled
from gdr_model.private import make_private
from gdr_model.search.indexed.cache import sha256
from gdr_model.search.indexed.vectors import Rows, Vectors
from gdr_model.types import Array, Cancel

M, EF_CONSTRUCTION, EF = 16, 100, 600
PIECE = 1 << 18
MAX_GONE = 0.2
"""Share of a graph's passages that can be gone before it is built again."""
_CHUNK = 1000
_SAMPLE = 500

Report = Callable[[int, int], object]
"""Called with the passages that have been added to graphs, and how many are to be."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A graph and the ids it is labelled by, in their order."""

    graph: Any
    ids: NDArray[np.int64]

    @property
    def file(self) -> str:
        """Its name on disk."""
        return f"graph-{self.ids[0]}.bin"


@dataclass(frozen=True)
class Maker:
    """Builds, saves and loads the graphs of one space."""

    folder: Path
    facts: Mapping[str, Any]
    """What the vectors are, for the manifest."""
    dim: int

    @property
    def _facts(self) -> dict[str, Any]:
        made = {"metric": "ip", "M": M, "ef_construction": EF_CONSTRUCTION, "ef": EF}
        return {"format": 2, **self.facts, **made}

    def load(self, ids: NDArray[np.int64], vectors: Vectors) -> tuple[list[Piece], dict[str, str]]:
        """The graphs on disk that can be trusted and fit these passages, and their checksums."""
        try:
            manifest = plain.from_json((self.folder / "manifest.json").read_text("utf-8"))
            if {name: manifest.get(name) for name in self._facts} != self._facts:
                return [], {}
            entries = dict(manifest["graphs"])
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return [], {}
        loaded = [self._loaded(name, checksum, ids, vectors) for name, checksum in entries.items()]
        pieces = [piece for piece in loaded if piece]
        return pieces, {piece.file: entries[piece.file] for piece in pieces}

    def _loaded(
        self, name: str, checksum: object, ids: NDArray[np.int64], vectors: Vectors
    ) -> Piece | None:
        path = self.folder / Path(name).name
        try:
            if sha256(path) != checksum:
                return None
            graph = hnswlib.Index("ip", self.dim)
            graph.load_index(str(path))
            graph.set_num_threads(1)
            piece = Piece(graph, np.sort(np.asarray(graph.get_ids_list(), np.int64)))
            # A library restored from a backup can assign the same ids to other passages. A sample
            # is enough: reading all vectors back takes a second at 50,000.
            rows = places(piece.ids, ids)
            if len(rows) < (1 - MAX_GONE) * len(piece.ids):
                return None
            rows = rows[:: max(1, len(rows) // _SAMPLE)]
            stored = graph.get_items(ids[rows], return_type="numpy")
            return piece if np.allclose(stored, vectors[rows], atol=1e-3) else None
        except (OSError, ValueError, RuntimeError):
            return None

    def build(
        self,
        runs: Sequence[Rows],
        ids: NDArray[np.int64],
        vectors: Vectors,
        threads: int,
        report: Report,
        cancelled: Cancel,
    ) -> Iterator[Piece]:
        """A graph for each run of rows, as they are finished.

        Raises:
            Cancelled: when asked; what is unfinished is lost.
        """
        total, done, counting = sum(map(len, runs)), 0, Lock()
        stop = False

        def count(added: int) -> None:
            nonlocal done
            with counting:
                done += added
                report(done, total)

        def polled() -> bool:
            return stop or cancelled()

        with ThreadPoolExecutor(threads) as pool:
            build = partial(self._built, ids=ids, vectors=vectors, count=count, cancelled=polled)
            pieces: list[Future[Piece]] = [pool.submit(build, rows) for rows in runs]
            try:
                for piece in as_completed(pieces):
                    yield piece.result()
            finally:
                stop = True
                pool.shutdown(cancel_futures=True)

    def _built(
        self,
        rows: Rows,
        ids: NDArray[np.int64],
        vectors: Vectors,
        count: Callable[[int], None],
        cancelled: Cancel,
    ) -> Piece:
        graph = hnswlib.Index("ip", self.dim)
        graph.init_index(len(rows), M=M, ef_construction=EF_CONSTRUCTION, random_seed=0)
        graph.set_num_threads(1)
        for at in range(0, len(rows), _CHUNK):
            if cancelled():
                raise Cancelled("stopped")
            part = rows[at : at + _CHUNK]
            graph.add_items(vectors.approximate(part), ids[part], num_threads=1)
            count(len(part))
        return Piece(graph, ids[rows])

    def save(self, pieces: Sequence[Piece], saved: Mapping[str, str]) -> dict[str, str]:
        """Write the graphs that are not saved, then the manifest that vouches for all of them.

        Args:
            pieces: all there are.
            saved: the checksums of those on disk, by the name of their file.

        Returns:
            The checksums of all.

        Raises:
            OSError: if the disk cannot be written.
            RuntimeError: the same, from hnswlib.
        """
        sums = {piece.file: saved.get(piece.file, "") for piece in pieces}
        make_private(self.folder)
        for piece in pieces:
            if not sums[piece.file]:
                with atomic.replacing(self.folder / piece.file) as part:
                    piece.graph.save_index(str(part))
                    sums[piece.file] = sha256(part)
        manifest = {**self._facts, "graphs": sums}
        atomic.write_text(self.folder / "manifest.json", json.dumps(manifest, indent=2))
        for old in self.folder.glob("*.bin"):
            if old.name not in sums:
                with contextlib.suppress(OSError):
                    old.unlink()
        return sums


def places(labels: NDArray[np.int64], ids: NDArray[np.int64]) -> Rows:
    """The rows whose ids (N,), which are sorted, are among some labels; in their order."""
    if not len(ids):
        return np.empty(0, np.int64)
    at = np.minimum(np.searchsorted(ids, labels), len(ids) - 1)
    return np.sort(at[ids[at] == labels])


def proposed(
    piece: Piece, alive: int, queries: Array, k: int, ids: NDArray[np.int64]
) -> list[Rows] | None:
    """The k best rows of each query that a graph proposes; None if it cannot find as many.

    Of passages that are gone, as many are asked for in addition as there are, up to k.

    Args:
        piece: the graph.
        alive: how many of its passages are among `ids`.
        queries: unit rows (Q, D).
        k: how many rows of each.
        ids: of the passages there are, sorted.
    """
    gone = len(piece.ids) - alive
    wanted = min(len(piece.ids), k + min(gone, k))
    piece.graph.set_ef(max(wanted + wanted // 2, EF))
    try:
        labels, _ = piece.graph.knn_query(queries, wanted)
    except RuntimeError:  # a disconnected graph cannot reach k of its points
        return None
    found = [places(row.astype(np.int64), ids) for row in labels]
    return None if any(len(rows) < min(k, alive) for rows in found) else found
