"""What one line a recording costs, for a query and for all groups, in 10,000 synthetic tracks.

    python benchmarks/copies_speed.py [--tracks 10000] [--home DIR]

The store is real, written by the library's own code. Half of the tracks are near copies of the
others: the same latents and a little noise. The latents wander around a mean of their own.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

K = 50
QUERIES = 20


def fill(root: Path, tracks: int) -> None:
    """Write a store of `tracks` tracks of two to five minutes."""
    from gdr_model.audio import Tags
    from gdr_model.models.config import ModelConfig
    from gdr_model.store.library import Library
    from gdr_model.store.records import Sound, Stamp

    space = ModelConfig.read().space
    rng = np.random.default_rng(0)
    with Library.open(root, create=True) as library:
        for number in range(tracks // 2):
            seconds = int(rng.integers(120, 300))
            steps = rng.standard_normal((seconds, space.dim)).astype(np.float32)
            walk = np.stack([np.convolve(row, np.ones(6) / 6, "same") for row in steps.T], axis=1)
            latents = (rng.standard_normal(space.dim) + walk).astype(np.float32)
            for copy in range(2):
                noise = 0.02 * copy * rng.standard_normal(latents.shape).astype(np.float32)
                name = f"{number:05}-{copy}"
                sound = Sound(name.encode().hex(), float(seconds), -18.0)
                library.put_latents(sound, space, latents + noise)
                library.files.put_track(f"{name}.ogg".encode(), Stamp(1, number), sound, Tags())


def timed(action: Callable[[], object]) -> float:
    """How long something takes, in seconds."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tracks", type=int, default=10_000)
    parser.add_argument("--home", type=Path, help="folder to keep for another run")
    return parser


def main() -> None:
    """Create the library if it does not exist, and measure."""
    chosen = options().parse_args()
    home = chosen.home or Path(tempfile.mkdtemp(prefix="gdr-copies-"))
    os.environ["GDR_HOME"] = str(home)
    root = home / "music"
    root.mkdir(parents=True, exist_ok=True)

    import torch

    from gdr_model import Steering
    from gdr_model.models.checkpoint import load
    from gdr_model.paths import store_of
    from gdr_model.search.retriever import Retriever
    from gdr_model.store.library import Library

    if not store_of(root).exists():
        fill(root, chosen.tracks)
    torch.set_num_threads(1)
    with Library.open(root) as library:
        retriever = Retriever(load("builtin", "cpu"), [library])
        steerings = [Steering(f"warm piano {seed}", seed=seed) for seed in range(QUERIES)]
        retriever.query(steerings[0])
        drawing = [timed(lambda s=s: retriever.query(s)) for s in steerings]
        queries = [retriever.query(s) for s in steerings]
        files = [timed(lambda q=q: retriever.answer(q, K, every_file=True)) for q in queries]
        first = timed(lambda: retriever.answer(queries[0], K))
        fresh = [timed(lambda q=q: retriever.answer(q, K)) for q in queries[1:]]
        again = [timed(lambda q=q: retriever.answer(q, K)) for q in queries]
        for name, each in (
            ("drawing a query", drawing), ("ranking, every file", files),
            ("ranking, one line a recording, the first time", [first]),
            ("the same, other queries", fresh), ("the same, asked again", again),
        ):  # fmt: skip
            print(f"{name}: {1000 * float(np.median(each)):.1f} ms")
        groups: list[tuple[str, ...]] = []
        took_s = timed(lambda: groups.extend(Retriever(retriever.model, [library]).copies.groups()))
        several = sum(len(group) > 1 for group in groups)
        print(f"all groups: {several:,} recordings with copies among {library.count():,} tracks, "
              f"{took_s:.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()
