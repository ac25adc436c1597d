"""The passages of a library that Milvus finds near to a query."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.indexed.vectors import Rows
from gdr_model.search.milvus.keys import Keys
from gdr_model.search.milvus.server import MOST
from gdr_model.search.milvus.upload import Held, Shelves
from gdr_model.types import Array

LISTED = 20_000
"""A filter is sent as a list of so many contents at most."""
FOREIGN = 4.0
"""From so many passages on the server for each of a library's own, its contents are listed, too."""
MARGIN = 1.3
"""Where others have passages on the server, so many times more are asked for than would do."""


class Searchable:
    """The passages of a library that a server has, and how many it has in all."""

    def __init__(self, held: Held, on_server: int) -> None:
        self._held = held
        self._foreign = max(1.0, on_server / max(1, len(held.keys)))
        """How many passages there are for each of this library."""
        self._order = np.argsort(held.keys)
        self._sorted = held.keys[self._order]

    def near(
        self, shelves: Shelves, queries: Array, k: int, allowed: NDArray[np.bool_] | None
    ) -> list[Rows] | None:
        """For each query at least k rows, sorted; None if Milvus cannot say."""
        expression, share = self._filter(allowed)
        asked = k if share == 1 else int(MARGIN * share * k) + 16
        while asked <= MOST:
            found = shelves.server.search(shelves.passages, queries, asked, expression)
            near = [self._rows(keys, allowed) for keys in found]
            if min(map(len, near)) >= k:
                return near
            if max(map(len, found)) < asked:  # it has no more
                return None
            asked *= 4
        return None

    def _filter(self, allowed: NDArray[np.bool_] | None) -> tuple[str, float]:
        """The filter to send, and how many passages pass it for each that is allowed."""
        held, contents = self._held, self._held.passages.contents
        inside = np.ones(len(held.contents), np.bool_)
        size = len(held.keys)
        if allowed is not None:
            inside[:] = False
            inside[contents.codes[allowed]] = True
            size = int(np.count_nonzero(allowed))
        some, rest = held.contents[inside], held.contents[~inside]
        few = len(some) <= len(rest) or self._foreign > FOREIGN
        if few and len(some) <= LISTED:
            return f"content in {some.tolist()}", contents.counts[inside].sum() / size
        everybody = self._foreign * len(held.keys)
        if 0 < len(rest) <= LISTED:
            left = everybody - contents.counts[~inside].sum()
            return f"content not in {rest.tolist()}", left / size
        return "", everybody / size

    def _rows(self, keys: Keys, allowed: NDArray[np.bool_] | None) -> Rows:
        """The rows of keys that are this library's and allowed, sorted."""
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        rows = self._order[at[self._sorted[at] == keys]]
        return np.sort(rows if allowed is None else rows[allowed[rows]])
