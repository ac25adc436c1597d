"""The pool of (passage, caption) pairs the retriever learns from, with its text embedded once.

    python -m recipes.builtin.corpus.pool --work DIR [--captions 5]

Writes `DIR/NAME/items.jsonl` (track, start_s, seconds, captions as numbers), `captions.txt` (every
text, the queries last), and the MiniLM states of all texts end to end (`states.npy`, float16,
memory-mapped) with their offsets and pooled vectors. `queries.json` holds the classes of each
query, `classes.npy` the teacher's z-scored logits of every passage.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdr_model.encoders.builtin import minilm
from gdr_model.types import PASSAGE_S, Array
from recipes.builtin.corpus.facts import CorpusStatistics
from recipes.builtin.corpus.prepare import PreparedFolder, PreparedTrack
from recipes.builtin.report.queries import order, queries
from training.words.captions import captions
from training.words.teacher import labels

SHORTEST_S = 8
MAX_TOKENS = 48
REPORTED = 5000
"""Captions between two lines of progress."""


@dataclass(frozen=True)
class Pool:
    """Items and embedded captions, read back."""

    items: list[dict[str, Any]]
    texts: list[str]
    states: NDArray[np.float16]  # (tokens of all captions, 384)
    offsets: NDArray[np.int64]  # (captions + 1,)
    pooled: NDArray[np.float32]  # (captions, 384)
    asked: list[list[int]]  # classes of each query; queries are the last of the texts
    classes: NDArray[np.float32]  # (items, 521), z-scored logits of each passage

    @classmethod
    def load(cls, folder: Path) -> Pool:
        """Read a pool."""
        items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
        texts = (folder / "captions.txt").read_text(encoding="utf-8").splitlines()
        states = np.load(folder / "states.npy", mmap_mode="r")
        asked = json.loads((folder / "queries.json").read_text())
        classes = np.load(folder / "classes.npy")
        with np.load(folder / "text.npz") as rows:
            return cls(items, texts, states, rows["offsets"], rows["pooled"], asked, classes)

    def ask(self, rng: np.random.Generator, count: int) -> tuple[list[int], list[list[int]]]:
        """Some queries: their numbers among the texts, and the classes of each."""
        drawn = rng.choice(len(self.asked), count, replace=count > len(self.asked))
        first = len(self.texts) - len(self.asked)
        return [first + int(q) for q in drawn], [self.asked[int(q)] for q in drawn]

    def answers(self, asked: Sequence[Sequence[int]], items: NDArray[np.int64]) -> Array:
        """The teacher's scores (Q, N) of some passages under the classes of each query."""
        return order(self.classes[items], asked)

    def batch(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """States (B, L, 384), mask (B, L) and pooled (B, 384) of captions."""
        lengths = [int(self.offsets[n + 1] - self.offsets[n]) for n in numbers]
        states = np.zeros((len(numbers), max(lengths), self.states.shape[1]), np.float32)
        mask = np.zeros(states.shape[:2], np.bool_)
        for row, (number, length) in enumerate(zip(numbers, lengths, strict=True)):
            states[row, :length] = self.states[self.offsets[number] : self.offsets[number + 1]]
            mask[row, :length] = True
        pooled = self.pooled[list(numbers)]
        return torch.from_numpy(states), torch.from_numpy(mask), torch.from_numpy(pooled)


def passages(track: PreparedTrack, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Random passages of a track, more of a long one: (start_s, seconds)."""
    longest = min(PASSAGE_S, track.seconds)
    if longest < SHORTEST_S:
        return []
    count = {"render": 2, "remix": 1}.get(track.kind, int(np.clip(track.seconds / 12, 3, 16)))
    found = []
    for _ in range(count):
        # Short passages as often as long ones: what is said of them holds all the way through.
        seconds = round(SHORTEST_S * (longest / SHORTEST_S) ** float(rng.random()))
        found.append((int(rng.integers(track.seconds - seconds + 1)), seconds))
    return found


def embed(texts: Sequence[str], folder: Path) -> None:
    """Read every caption with MiniLM."""
    whole = minilm.load_text(minilm.find(), torch.device("cpu"))
    reader = replace(whole, tokenize=lambda text: whole.tokenize(text)[:MAX_TOKENS])
    lengths = [len(reader.tokenize(text)) for text in texts]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    states = np.lib.format.open_memmap(
        folder / "states.npy", "w+", np.float16, (int(offsets[-1]), reader.width)
    )
    pooled = np.zeros((len(texts), reader.pooled_width), np.float32)
    began = time.monotonic()
    for done, (row, (tokens, summary)) in enumerate(reader.read_all(texts), start=1):
        states[offsets[row] : offsets[row + 1]] = tokens
        pooled[row] = summary
        if done % REPORTED == 0:
            print(f"{done}/{len(texts)} captions, {time.monotonic() - began:.0f} s", flush=True)
    states.flush()
    np.savez(folder / "text.npz", offsets=offsets, pooled=pooled)


def build(
    work: Path, name: str, per_passage: int, asked: int, seed: int, split: str = "train"
) -> None:
    """Choose passages, write captions and queries, embed them."""
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    tracks = PreparedFolder(work).load()
    corpus = CorpusStatistics.fit([t for t in tracks if t.record["split"] == "train"], labels())
    rng = np.random.default_rng(seed)
    numbers: dict[str, int] = {}
    lines, heard = [], []
    for track in tracks:
        if track.record["split"] != split:
            continue
        for start, seconds in passages(track, rng):
            facts = corpus.facts(track, start, seconds)
            written = captions(facts, rng, per_passage)
            known = [numbers.setdefault(caption, len(numbers)) for caption in written]
            item = {"id": track.record["id"], "start_s": start, "seconds": seconds}
            lines.append(json.dumps({**item, "kind": track.kind, "captions": known}))
            logits = track.logits[start : start + seconds].astype(np.float32).mean(axis=0)
            heard.append((logits - corpus.mean) / corpus.sd)
    wanted = [q for q in queries(rng, asked) if q.text not in numbers]
    for query in wanted:
        numbers[query.text] = len(numbers)
    classes = [[corpus.names.index(c) for c in query.classes] for query in wanted]
    (folder / "queries.json").write_text(json.dumps(classes))
    np.save(folder / "classes.npy", np.stack(heard).astype(np.float32))
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "captions.txt").write_text("\n".join(numbers) + "\n", encoding="utf-8")
    print(f"{len(lines)} passages, {len(numbers)} distinct captions", flush=True)
    embed(list(numbers), folder)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--name", default="pool")
    parser.add_argument("--captions", type=int, default=5, help="captions of each passage")
    parser.add_argument("--queries", type=int, default=12_000)
    parser.add_argument("--split", default="train", choices=["train", "test"])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    build(
        arguments.work,
        arguments.name,
        arguments.captions,
        arguments.queries,
        arguments.seed,
        arguments.split,
    )


if __name__ == "__main__":
    main()
