"""Milvus and the exact index: `python benchmarks/milvus.py --library DIR --index INDEX`.

INDEX is `milvus:` and the name of a file that ends in `.db`, or the address of a server.

Uploads what is missing, then asks both for the candidates of a query: the 240 nearest passages of
nine points, which are passages of the library turned by a random angle. Times are on the wall and
of the processor; with Milvus Lite in a file, the latter includes Milvus.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

K, POINTS, ROUNDS = 240, 9, 10


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--library", type=Path, required=True, metavar="DIR", help="a folder that has been indexed"
    )
    parser.add_argument(
        "--index", required=True, metavar="INDEX", help="milvus:FILE.db, or a server"
    )
    return parser


def main() -> None:
    """Measure and print."""
    args = options().parse_args()

    from gdr_model.models.config import ModelConfig
    from gdr_model.search.indexed.choice import opener
    from gdr_model.search.whitening import unit
    from gdr_model.store.library import Library

    config = ModelConfig.read()
    with Library.open(args.library) as library:
        exact, milvus = (
            opener(name)(library, config.space, config.whitening())
            for name in ("local", args.index)
        )
        count = len(exact.passages.ids)
        wall, processor = timed(milvus.prepare)
        print(f"upload of {count:,} passages, or a look: {wall:.1f} s, {processor:.1f} s")
        random = np.random.default_rng(0)
        recalls, times = [], {exact: [0.0, 0.0], milvus: [0.0, 0.0]}
        milvus.search(exact.vectors[:1], K)  # loads what is loaded once
        for _ in range(ROUNDS):
            rows = random.integers(0, count, POINTS)
            noise = unit(random.standard_normal((POINTS, config.space.dim)).astype(np.float32))
            points = unit(exact.vectors[rows] + random.uniform(0.3, 1.5) * noise)
            found = {}
            for index, spent in times.items():
                began = time.perf_counter(), time.process_time()
                found[index] = index.search(points, K)[0]
                spent[0] += time.perf_counter() - began[0]
                spent[1] += time.process_time() - began[1]
            for mine, theirs in zip(found[milvus], found[exact], strict=True):
                recalls.append([np.isin(theirs[:k], mine[:k]).mean() for k in (10, K)])
        for name, index in (("exact", exact), ("Milvus", milvus)):
            wall, processor = (1000 * spent / ROUNDS for spent in times[index])
            print(f"{name}, {POINTS} points: {wall:.0f} ms, {processor:.0f} ms")
        of_ten, of_all = np.mean(recalls, axis=0)
        print(f"recall@10 {of_ten:.3f}, recall@{K} {of_all:.3f}")


if __name__ == "__main__":
    main()
