"""What a library has on a server: brought there in batches, and taken away.

Two collections belong to a search space. One holds the passages of everybody, each once:

    passage   its key        content   that of its content        vector   in the search space

The other holds who needs what. A library claims a content before it brings the passages, and marks
the claim as whole afterwards; an interrupted upload continues with the contents not yet marked
whole. What nobody claims any more is deleted.

    claim     its key        library, content, whole (0 or 1)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import Cancelled
from gdr_model.search.indexed.graphs import Report
from gdr_model.search.indexed.vectors import Vectors
from gdr_model.search.milvus.keys import Keys, content_keys, passage_keys
from gdr_model.search.milvus.server import Server
from gdr_model.store.records import Passages
from gdr_model.types import Cancel, LatentSpace

CONTENTS_AT_ONCE = 250
PASSAGES_AT_ONCE = 1000


@dataclass(frozen=True, eq=False)
class Held:
    """The passages of one state of a library, by their keys."""

    passages: Passages
    contents: Keys  # (R,)
    keys: Keys  # (N,)

    @classmethod
    def of(cls, passages: Passages) -> Held:
        """Make the keys of passages."""
        contents = content_keys(passages.contents.names)
        return cls(passages, contents, passage_keys(passages, contents))

    def rows_of(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """The passages of some contents, which follow one another."""
        all_of = self.passages.contents
        parts = zip(all_of.starts[codes].tolist(), all_of.counts[codes].tolist(), strict=True)
        return np.concatenate([np.arange(at, at + n) for at, n in parts] or [np.empty(0, np.int64)])


class Shelves:
    """The two collections of a search space, as one library sees them."""

    def __init__(self, server: Server, stem: str, space: LatentSpace, library: int) -> None:
        """Use nothing of the server yet; `stem` names the space and its whitening."""
        self.server = server
        self.library = library
        self._space = space
        name = "gdr_1_" + stem.replace("-", "_")  # the 1 is the format of the collections
        self.passages, self._claims = name, f"{name}_claims"

    def open(self) -> bool:
        """Let the collections be used; whether they exist."""
        names = self.passages, self._claims
        if not all(map(self.server.has, names)):
            return False
        for name in names:
            self.server.load(name)
        return True

    def count(self) -> int:
        """How many passages there are, of all libraries."""
        return self.server.count(self.passages)

    def whole(self) -> int:
        """How many contents of this library are there with all their passages."""
        return self.server.count(self._claims, f"{self._mine} and whole == 1")

    def upload(self, held: Held, vectors: Vectors, report: Report, cancelled: Cancel) -> None:
        """Bring what is missing, and take away what this library no longer has.

        Raises:
            IndexUnavailable: if the server cannot be reached, or refuses.
            Cancelled: when asked; what is there stays there.
        """
        about = f"gdr: passages in the space of {self._space}"
        self.server.create(self.passages, about, ("passage", "content"), self._space.dim)
        fields = "claim", "library", "content", "whole"
        self.server.create(self._claims, "gdr: who needs which of them", fields, 2)
        self.open()
        there = self.server.rows(self._claims, self._mine, ("content", "whole"))
        known = there[there[:, 1] == 1, 0]
        claimed = np.isin(held.contents, known)
        if self.count() < held.passages.contents.counts[claimed].sum():  # they were lost there
            known = known[:0]
        missing = np.flatnonzero(~np.isin(held.contents, known))
        total = int(held.passages.contents.counts[missing].sum())
        done = 0
        for at in range(0, len(missing), CONTENTS_AT_ONCE):
            _stop(cancelled)
            codes = missing[at : at + CONTENTS_AT_ONCE]
            self._claim(held.contents[codes], 0)
            rows = held.rows_of(codes)
            for first in range(0, len(rows), PASSAGES_AT_ONCE):
                _stop(cancelled)
                part = rows[first : first + PASSAGES_AT_ONCE]
                self._bring(held, vectors, part)
                done += len(part)
                report(done, total)
            self._claim(held.contents[codes], 1)
        gone = np.setdiff1d(there[:, 0], held.contents)
        for at in range(0, len(gone), CONTENTS_AT_ONCE):
            _stop(cancelled)
            self._give_up(gone[at : at + CONTENTS_AT_ONCE])
        if len(missing) or len(gone):
            self.server.flush(self._claims)
            self.server.flush(self.passages)

    @property
    def _mine(self) -> str:
        return f"library == {self.library}"

    def _claim(self, contents: Keys, whole: int) -> None:
        claims = content_keys(np.array([f"{self.library} {key}".encode() for key in contents]))
        columns: dict[str, Keys | int] = {
            "claim": claims,
            "library": self.library,
            "content": contents,
            "whole": whole,
        }
        self.server.put(self._claims, columns, np.ones((len(contents), 2), np.float32))

    def _bring(self, held: Held, vectors: Vectors, rows: NDArray[np.int64]) -> None:
        there = self.server.there(self.passages, "passage", held.keys[rows])
        rows = rows[~np.isin(held.keys[rows], there)]
        if len(rows):
            contents = held.contents[held.passages.contents.codes[rows]]
            columns: dict[str, Keys | int] = {"passage": held.keys[rows], "content": contents}
            self.server.put(self.passages, columns, vectors[rows])

    def _give_up(self, contents: Keys) -> None:
        """Drop the claims to some contents, and what nobody else claims of them."""
        among = f"content in {contents.tolist()}"
        self.server.delete(self._claims, f"{self._mine} and {among}")
        others = self.server.rows(self._claims, among, ("content",))[:, 0]
        unclaimed = np.setdiff1d(contents, others)
        if len(unclaimed):
            self.server.delete(self.passages, f"content in {unclaimed.tolist()}")


def _stop(cancelled: Cancel) -> None:
    if cancelled():
        raise Cancelled("the upload was cancelled; what is there stays there")
