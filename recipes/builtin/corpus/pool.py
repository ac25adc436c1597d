"""The pool of (passage, caption) pairs that the retriever learns from, with its texts read once.

    python -m recipes.builtin.corpus.pool --work DIR [--captions 5] [--without people]

Writes `DIR/NAME/items.jsonl` (track, start_s, seconds, captions as numbers), `captions.txt` (every
text, the queries last), and their embedding: `states.npy` (float16, memory-mapped; the token states
of all texts, one after the other) and `text.npz` (mask and pooled vectors). Queries are made up
(`queries`) or people's (`training.words.people`). `asked.npy` holds how much each class answers
each query, `classes.npy` how much every passage has of each class in the teachers' opinion, in
deviations. Some of the queries are in other languages (`training.words.abroad`). `--without` leaves
out a source of words, to see what it brings: `people`; `tags`, the second teacher's vocabulary;
`abroad`, all that is not English; or `names`, those in other languages that `report.names` has.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gdr_model import atomic
from gdr_model.encoders.registry.pairs import USE
from gdr_model.types import PASSAGE_S, Array
from recipes.builtin.corpus.facts import CorpusStatistics
from recipes.builtin.corpus.prepare import PreparedFolder, PreparedTrack
from recipes.builtin.corpus.queries import Asked, order, queries, weights
from recipes.builtin.report.names import ABROAD
from recipes.builtin.steps import step_parser
from training.data.texts import Rows, Texts, embed, load_reader
from training.words.abroad import translated
from training.words.captions import captions
from training.words.people import Written, written
from training.words.teacher import labels

OPTIONAL = ("people", "tags", "abroad", "names")
"""Sources of words that `--without` leaves out."""
SHORTEST_S = 8
REPORTED = 5000
"""Captions between two lines of progress."""


@dataclass(frozen=True)
class Pool:
    """Items and embedded texts, read back."""

    items: list[dict[str, Any]]
    captions: list[str] = field(repr=False)
    """Every text; the queries are the last."""
    texts: Texts = field(repr=False)
    asked: Array = field(repr=False)  # (queries, classes), how much a class answers a query
    classes: Array = field(repr=False)  # (items, classes), in deviations

    @classmethod
    def load(cls, folder: Path) -> Pool:
        """Read a pool."""
        items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
        every = (folder / "captions.txt").read_text(encoding="utf-8").splitlines()
        states = np.load(folder / "states.npy", mmap_mode="r")
        with np.load(folder / "text.npz") as rows:
            texts = Texts(rows["pooled"], rows["mask"], states)
        asked, classes = np.load(folder / "asked.npy"), np.load(folder / "classes.npy")
        return cls(items, every, texts, asked, classes)

    def ask(self, rng: np.random.Generator, count: int) -> tuple[list[int], Rows]:
        """Some queries: their numbers among the texts, and among the queries."""
        drawn = rng.choice(len(self.asked), count, replace=count > len(self.asked))
        first = len(self.captions) - len(self.asked)
        return [first + int(q) for q in drawn], drawn

    def answers(self, asked: Rows, items: Rows) -> Array:
        """The teachers' scores (Q, N) of some passages under some queries, by number."""
        return order(self.classes[items], self.asked[asked])


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


def save_texts(texts: Texts, folder: Path) -> None:
    """Write embedded texts where `Pool.load` finds them."""
    with atomic.replacing(folder / "states.npy") as temporary:
        np.save(temporary, texts.tokens)
    with atomic.replacing(folder / "text.npz") as temporary:
        np.savez(temporary, mask=texts.mask, pooled=texts.pooled)


@dataclass
class TextsRead:
    """Prints how many texts have been read, every few thousand."""

    total: int
    done: int = 0

    def __call__(self) -> None:
        """Count one."""
        self.done += 1
        if self.done % REPORTED == 0 or self.done == self.total:
            print(f"{self.done}/{self.total} texts read", flush=True)


def build(
    work: Path,
    name: str,
    per_passage: int,
    asked: int,
    seed: int,
    split: str = "train",
    without: Collection[str] = (),
) -> None:
    """Choose passages, write captions and queries, embed them."""
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    tracks = PreparedFolder(work).load()
    learnt = [t for t in tracks if t.record["split"] == "train"]
    corpus = CorpusStatistics.fit(learnt, labels(), tags="tags" not in without)
    rng = np.random.default_rng(seed)
    numbers: dict[str, int] = {}
    lines, scores = [], []
    for track in tracks:
        if track.record["split"] != split:
            continue
        for start, seconds in passages(track, rng):
            facts = corpus.facts(track, start, seconds)
            described = captions(facts, rng, per_passage)
            own = [numbers.setdefault(caption, len(numbers)) for caption in described]
            item = {"id": track.record["id"], "start_s": start, "seconds": seconds}
            lines.append(json.dumps({**item, "kind": track.kind, "captions": own}))
            scores.append(corpus.z(track, start, seconds))
    every: list[Asked | Written] = [*queries(rng, asked)]
    every += [] if "people" in without else written(rng)
    named = {name for names in ABROAD.values() for name in names} if "names" in without else set()
    every += [] if "abroad" in without else [q for q in translated() if q.text not in named]
    answering = {query.text: weights(query, corpus.classes.names) for query in every}
    answering = {t: row for t, row in answering.items() if t not in numbers and row.any()}
    for text in answering:
        numbers[text] = len(numbers)
    print(f"{len(lines)} passages, {len(numbers)} distinct captions", flush=True)
    with atomic.replacing(folder / "asked.npy") as temporary:
        np.save(temporary, np.stack(list(answering.values())).astype(np.float32))
    with atomic.replacing(folder / "classes.npy") as temporary:
        np.save(temporary, np.stack(scores).astype(np.float32))
    atomic.write_text(folder / "captions.txt", "\n".join(numbers) + "\n")
    save_texts(embed(list(numbers), load_reader(USE.name), TextsRead(len(numbers))), folder)
    atomic.write_text(folder / "items.jsonl", "\n".join(lines) + "\n")


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("--name", default="pool")
    parser.add_argument("--captions", type=int, default=5, help="captions of each passage")
    parser.add_argument("--queries", type=int, default=12_000)
    parser.add_argument("--split", default="train", choices=["train", "test"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without", action="append", default=[], choices=OPTIONAL)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    build(
        arguments.work,
        arguments.name,
        arguments.captions,
        arguments.queries,
        arguments.seed,
        arguments.split,
        arguments.without,
    )


if __name__ == "__main__":
    main()
