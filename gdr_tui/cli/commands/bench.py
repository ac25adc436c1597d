"""`gdr bench`: how fast this machine is, measured in one run so that the figures compare."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING

from gdr_model.steering import Steering
from gdr_model.types import Array, Method
from gdr_tui.cli.options import RetrieverOptions
from gdr_tui.cli.output import write
from gdr_tui.cli.retrievers import open_retriever

if TYPE_CHECKING:
    from gdr_model.search.retriever import Retriever
    from gdr_model.store.library import Library

SOUND_S = 300
REPEATS = 7


def bench(backend: RetrieverOptions) -> None:
    """Measure encoding, drawing and searching on this machine and library."""
    with ExitStack() as stack:
        measure(open_retriever(stack, backend))


def measure(retriever: Retriever, sound_s: int = SOUND_S, repeats: int = REPEATS) -> None:
    """Print the time of encoding, drawing and searching, each next to what it compares with.

    Args:
        retriever: what is measured.
        sound_s: length of the sound that is encoded.
        repeats: runs of each action, whose median counts.
    """
    import numpy as np

    model = retriever.model
    noise = np.random.default_rng(0).standard_normal(sound_s * model.space.sample_rate_hz)
    sound = (0.1 * noise).astype(np.float32)
    spent = _seconds(lambda: model.encoder.encode(sound), min(3, repeats))
    _row("encode, one thread", f"{sound_s / spent:,.0f} ×", "real time, decoding not counted")
    plain = Steering("warm piano")

    def draw(**changes: int) -> float:
        return _seconds(lambda: retriever.query(plain.but(**changes)), repeats)

    base = draw()
    _row(f"draw, {plain.draws} draws of {plain.steps} steps", f"{1e3 * base:.0f} ms")
    _row("  one draw", f"{1e3 * draw(draws=1):.0f} ms", f"{draw(draws=1) / base:.2f} of that")
    _row("  twice the steps", f"{1e3 * draw(steps=2 * plain.steps):.0f} ms")
    contrastive = _seconds(lambda: retriever.query(plain, Method.CONTRASTIVE), repeats)
    _row("  contrastive query", f"{1e3 * contrastive:.1f} ms", f"{contrastive / base:.3f} of that")
    answer = _seconds(lambda: retriever.search(plain), repeats)
    _row("search, words to results", f"{1e3 * answer:.0f} ms", f"{retriever.count():,} tracks")
    vectors = retriever.query(plain).vectors
    for opened in retriever.libraries:
        _compare(opened.library, retriever, vectors)


def _compare(library: Library, retriever: Retriever, vectors: Array) -> None:
    """Measure exact search against HNSW on the passages of a library."""
    from gdr_model.search.index import HnswIndex

    model = retriever.model
    built = time.perf_counter()
    graph = HnswIndex.open(library, model.space, model.whitening, exact_below=1)
    built = time.perf_counter() - built
    exact = HnswIndex.open(library, model.space, model.whitening, exact_below=2**62)
    k = min(10, len(exact.vectors))
    exact_s = _seconds(lambda: exact.search(vectors, k), 20)
    graph_s = _seconds(lambda: graph.search(vectors, k), 20)
    listed, nearest = graph.search(vectors, k)[0].tolist(), exact.search(vectors, k)[0].tolist()
    hits = sum(len(set(a) & set(b)) for a, b in zip(listed, nearest, strict=True))
    wanted = sum(map(len, nearest))
    _row(f"nearest {k} of {len(exact.vectors):,} passages", f"{1e3 * exact_s:.2f} ms", "exact")
    recall = hits / max(1, wanted)
    _row("  hnswlib", f"{1e3 * graph_s:.2f} ms", f"recall {recall:.3f}, opened in {built:.1f} s")


def _seconds(action: Callable[[], object], repeats: int) -> float:
    """Median time of an action, after one run that warms it up."""
    action()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return median(times)


def _row(what: str, value: str, compared: str = "") -> None:
    """One line of the report."""
    write(f"{what:34}{value:>14}  {compared}".rstrip() + "\n")
