"""`gdr bench`: how fast this machine is, as figures that hang together in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from gdr_model.search.index import HnswIndex
from gdr_model.search.retriever import Retriever
from gdr_model.store.library import Library
from gdr_model.types import Array, Steering
from gdr_tui.cli.output import write

SOUND_S = 300
REPEATS = 7


def seconds(action: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median time of an action, after one run that warms it up."""
    action()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        action()
        times.append(time.perf_counter() - begun)
    return median(times)


def row(what: str, value: str, beside: str = "") -> None:
    """One line of the report."""
    write(f"{what:34}{value:>14}  {beside}".rstrip() + "\n")


def run(retriever: Retriever) -> None:
    """Encoding, drawing and searching, each beside what it is to be compared with."""
    model = retriever.model
    noise = np.random.default_rng(0).standard_normal(SOUND_S * model.space.sample_rate_hz)
    sound = (0.1 * noise).astype(np.float32)
    spent = seconds(lambda: model.encoder.encode(sound), 3)
    row("encode, one thread", f"{SOUND_S / spent:,.0f} ×", "real time, decoding not counted")
    plain = Steering("warm piano")

    def draw(**changes: int) -> float:
        return seconds(lambda: retriever.query(plain.but(**changes)))

    base = draw()
    row(f"draw, {plain.draws} draws of {plain.steps} steps", f"{1e3 * base:.0f} ms")
    row("  one draw", f"{1e3 * draw(draws=1):.0f} ms", f"{draw(draws=1) / base:.2f} of that")
    row("  twice the steps", f"{1e3 * draw(steps=2 * plain.steps):.0f} ms")
    contrastive = seconds(lambda: retriever.query(plain, "contrastive"))
    row("  contrastive query", f"{1e3 * contrastive:.1f} ms", f"{contrastive / base:.3f} of that")
    answer = seconds(lambda: retriever.search(plain))
    row("search, words to results", f"{1e3 * answer:.0f} ms", f"{retriever.count():,} tracks")
    vectors = retriever.query(plain).vectors
    for opened in retriever.libraries:
        _compare(opened.library, retriever, vectors)


def _compare(library: Library, retriever: Retriever, vectors: Array) -> None:
    """Exact search against HNSW on the passages at hand."""
    model = retriever.model
    built = time.perf_counter()
    graph = HnswIndex.open(library, model.space, model.whitening, exact_below=1)
    built = time.perf_counter() - built
    exact = HnswIndex.open(library, model.space, model.whitening, exact_below=2**62)
    k = min(10, len(exact.vectors))
    exact_s = seconds(lambda: exact.search(vectors, k), 20)
    graph_s = seconds(lambda: graph.search(vectors, k), 20)
    found, wanted = graph.search(vectors, k)[0], exact.search(vectors, k)[0]
    hits = sum(len(set(f) & set(w)) for f, w in zip(found.tolist(), wanted.tolist(), strict=True))
    row(f"nearest {k} of {len(exact.vectors):,} passages", f"{1e3 * exact_s:.2f} ms", "exact")
    recall = hits / max(1, wanted.size)
    row("  hnswlib", f"{1e3 * graph_s:.2f} ms", f"recall {recall:.3f}, opened in {built:.1f} s")
