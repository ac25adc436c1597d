"""A pool of six passages, as the recipe's `pool` leaves it, and latents to go with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from recipes.builtin.corpus.latents import Latents
from recipes.builtin.corpus.pool import Pool, save_texts
from training.data.texts import Texts

WIDTH, DIM = 384, 128
CAPTIONS = ("a", "b b", "c c c", "ask one", "ask two")
"""Three captions, each of as many tokens as words, and two queries."""


def write_pool(folder: Path, seconds: int = 8) -> Pool:
    """Two kinds of track; passage 1 answers the first query, passage 5 the second."""
    items = [
        {"id": f"t{i}", "start_s": i, "seconds": seconds, "kind": kind, "captions": [i % 3]}
        for i, kind in enumerate(["source"] * 4 + ["render"] * 2)
    ]
    (folder / "items.jsonl").write_text("\n".join(map(json.dumps, items)) + "\n")
    (folder / "captions.txt").write_text("\n".join(CAPTIONS) + "\n")
    lengths = np.array([len(caption.split()) for caption in CAPTIONS])
    tokens = np.arange(lengths.sum(), dtype=np.float16)[:, None].repeat(WIDTH, axis=1)
    pooled = np.arange(len(CAPTIONS), dtype=np.float32)[:, None].repeat(WIDTH, axis=1)
    save_texts(Texts(pooled, np.arange(3)[None] < lengths[:, None], tokens), folder)
    np.save(folder / "asked.npy", np.eye(2, dtype=np.float32))
    classes = np.zeros((6, 2), np.float32)
    classes[1, 0] = classes[5, 1] = 3.0
    np.save(folder / "classes.npy", classes)
    return Pool.load(folder)


def small_latents() -> Latents:
    """Track i is the number i throughout."""
    rows = {f"t{i}": np.full((20, DIM), i, np.float32) for i in range(6)}
    mean, sd = np.zeros(DIM, np.float32), np.ones(DIM, np.float32)
    return Latents(rows, np.eye(256, DIM, dtype=np.float32), mean, sd)
