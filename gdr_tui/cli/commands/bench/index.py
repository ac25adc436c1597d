"""`gdr bench index`: the product of all passages against graphs, on the user's own library."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from gdr_model.steering import Steering
from gdr_tui.cli.commands.bench.figures import ms, row, seconds, taken
from gdr_tui.cli.commands.bench.query import PROMPTS
from gdr_tui.cli.options import RetrieverOptions
from gdr_tui.cli.retrievers import open_retriever

if TYPE_CHECKING:
    from gdr_model.search.retriever import Retriever
    from gdr_model.store.library import Library
    from gdr_model.types import Array

K = 10
_PASSAGES = 64
_IN_MEMORY = 2**62
"""A library of any size is small: nothing is written to its files."""


def index(backend: RetrieverOptions) -> None:
    """Measure opening the index, exact search, and what graphs find of it.

    The graphs are built for this and thrown away.
    """
    with ExitStack() as stack:
        measure(open_retriever(stack, backend))


def measure(retriever: Retriever) -> None:
    """Print how long the index of each library takes to open, to build and to ask."""
    import numpy as np

    drawn = [retriever.query(Steering(prompt)) for prompt in PROMPTS]
    points = np.concatenate([query.vectors for query in drawn])
    for opened in retriever.libraries:
        compare(opened.library, retriever, points)


def compare(library: Library, retriever: Retriever, points: Array) -> None:
    """Print the figures of one library.

    Args:
        library: what is searched.
        retriever: its model says in which space.
        points: drawn points (Q, D) to ask with, besides passages of the library.
    """
    import numpy as np

    from gdr_model.search.index import HnswIndex
    from gdr_model.search.indexed.graphs import PIECE

    model = retriever.model
    space, whitening = model.space, model.whitening
    opened_s = taken(lambda: HnswIndex.open(library, space, whitening))
    exact = HnswIndex.open(library, space, whitening)
    count = len(exact.vectors)
    k, piece = min(K, count), max(1, min(PIECE, count))
    graph = HnswIndex.open(
        library, space, whitening, exact_below=1, kept_from=_IN_MEMORY, piece=piece
    )
    spent = time.process_time()
    graph.prepare()
    spent = time.process_time() - spent
    own = exact.vectors[np.unique(np.linspace(0, count - 1, min(_PASSAGES, count)).astype(int))]
    row(f"{count:,} passages, opened", ms(opened_s))
    row(f"  nearest {k}, exact", ms(seconds(lambda: exact.search(points[:8], k), 5)), "8 points")
    row("  the same by graphs", ms(seconds(lambda: graph.search(points[:8], k), 5)))
    row("  graphs built", f"{spent:,.1f} s", "of processor time")
    for what, asked in (("drawn points", points), ("passages", own)):
        found = graph.search(asked, k)[0].tolist()
        nearest = exact.search(asked, k)[0].tolist()
        hits = sum(len(set(a) & set(b)) for a, b in zip(found, nearest, strict=True))
        row(f"  recall@{k}, {what}", f"{hits / max(1, k * len(asked)):.3f}")
