"""Samplers of the built-in model: `python benchmarks/samplers.py [FOLDER] [--prompts N]`.

For each sampler and number of steps, over a dozen prompts and the music in FOLDER (default: the
demo library, indexed for the occasion):

- cloud: energy distance of 32 draws from 32 of DDIM in 200 steps from other noise (Székely & Rizzo
  2013, unbiased: 0 is the same cloud), times a thousand, in the search space;
- mean, spread: how far the mean of the draws is from theirs, as a share of their deviation, and
  the ratio of the deviations;
- path: for samplers without fresh noise, how far a draw ends from where DDIM in 200 steps takes
  the same noise, as a share of the deviation;
- draws, list: how much of the first quarter of the list (20 tracks at most) is that of DDIM in 200
  steps from the same noise, by the draws alone and as `gdr search` ranks;
- time: processor time of 8 draws, as a ratio of DDIM's in 12 steps, in the same run.

The first row is what the samplers converge to; the second, DDIM in 200 steps from yet other noise,
is how much chance changes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from gdr_model.diffusion.schedulers import SCHEDULERS
from gdr_model.models import checkpoint
from gdr_model.search.retriever import Retriever
from gdr_model.steering import Sampler, Steering
from gdr_model.store import ingest
from gdr_model.store.library import Library
from gdr_model.types import Array, Query

DEMO = Path(__file__).parents[1] / "demo"
PROMPTS = (
    "warm piano",
    "loud drums and distorted guitars",
    "slow ambient pads, floating and calm",
    "upbeat electronic dance music with a heavy bass",
    "a sad violin melody",
    "acoustic folk guitar, fingerpicked",
    "dark and tense film music",
    "music box lullaby for children",
    "smooth jazz with saxophone",
    "driving rock with a catchy riff",
    "orchestral music with brass and timpani",
    "lo-fi hip hop beat to study to",
)
STEPS = (2, 4, 6, 8, 12, 24)
REFERENCE_STEPS = 200
CLOUD = 32
USUAL = (Sampler.DDIM, 12)
HEAD = "| sampler | steps | cloud | mean | spread | path | draws | list | time |"


@dataclass
class Asked:
    """A prompt, and what DDIM in 200 steps answers."""

    steering: Steering
    same: Query
    """From the same noise as the samplers under test."""
    other: Array  # (CLOUD, D) from other noise
    names: tuple[list[str], list[str]]
    """The lists by 8 draws of the same noise: by the draws alone, and as `gdr search` ranks."""


@contextmanager
def indexed(folder: Path, model: checkpoint.Model) -> Iterator[Retriever]:
    """A retriever over a folder, in a store that is deleted afterwards."""
    with (
        tempfile.TemporaryDirectory() as store,
        Library.open(folder, create=True, store=Path(store) / "store") as library,
    ):
        ingest.ingest(library, model.encoder, on_progress=lambda progress: None)
        yield Retriever(model, [library])


def cloud_distance(x: Array, y: Array) -> float:
    """Energy distance of points (N, D) and (M, D), without bias."""
    between, within_x, within_y = (
        np.linalg.norm(a[:, None] - b[None], axis=-1) for a, b in ((x, y), (x, x), (y, y))
    )
    n, m = len(x), len(y)
    return float(
        2 * between.mean() - within_x.sum() / (n * (n - 1)) - within_y.sum() / (m * (m - 1))
    )


def deviation(points: Array) -> float:
    """Root of the mean squared distance from the mean of points (N, D)."""
    return float(np.sqrt(points.var(0, ddof=1).sum()))


def lists(retriever: Retriever, query: Query) -> tuple[list[str], list[str]]:
    """The tracks that the first 8 draws find: alone, and with the tower."""
    few = replace(query, vectors=query.vectors[:8])
    k = min(20, retriever.count() // 4)
    alone, fused = (retriever.answer(q, k) for q in (replace(few, anchor=None), few))
    return [str(h.track.path) for h in alone.hits], [str(h.track.path) for h in fused.hits]


def shared(ours: list[str], theirs: list[str]) -> float:
    """The share of a list that is in another."""
    return len(set(ours) & set(theirs)) / len(theirs)


def asked(retriever: Retriever, prompt: str) -> Asked:
    """A prompt with its reference."""
    steering = Steering(prompt, draws=CLOUD, seed=1)
    same, other = (
        retriever.query(steering.but(steps=REFERENCE_STEPS, seed=seed)) for seed in (1, 2)
    )
    return Asked(steering, same, other.vectors, lists(retriever, same))


def figures(retriever: Retriever, one: Asked, query: Query, paired: bool) -> list[float]:
    """The columns from cloud to list, for one prompt."""
    x, y = query.vectors, one.other
    wide = deviation(y)
    path = np.linalg.norm(x - one.same.vectors, axis=1).mean() / wide if paired else np.nan
    found = lists(retriever, query)
    return [
        1000 * cloud_distance(x, y),
        float(np.linalg.norm(x.mean(0) - y.mean(0))) / wide,
        deviation(x) / wide,
        float(path),
        *(shared(ours, theirs) for ours, theirs in zip(found, one.names, strict=True)),
    ]


def seconds(retriever: Retriever, steering: Steering) -> float:
    """Processor time of 8 draws, the best of three, after a first that imports and allocates."""
    few = steering.but(draws=8)
    drawer, took = retriever.drawer, []
    for _ in range(4):
        drawer.forget()
        began = time.process_time()
        drawer.query(few)
        took.append(time.process_time() - began)
    return min(took[1:])


def row(name: str, steps: int, values: list[list[float]], ratio: float) -> str:
    """A row of the table: means over prompts (P, 6)."""
    cloud, mean, spread, path, draws, fused = np.mean(values, axis=0)
    end = "" if np.isnan(path) else f"{path:.3f}"
    figures = f"{cloud:.1f} | {mean:.2f} | {spread:.2f} | {end} | {draws:.0%} | {fused:.0%}"
    return f"| {name} | {steps} | {figures} | {ratio:.2f} |"


def main(folder: Path, prompts: int) -> None:
    """Measure and print the table."""
    torch.set_num_threads(1)
    model = checkpoint.load("builtin", "cpu")
    with indexed(folder, model) as retriever:
        questions = [asked(retriever, prompt) for prompt in PROMPTS[:prompts]]
        first = questions[0].steering
        usual_s = seconds(retriever, first.but(sampler=USUAL[0], steps=USUAL[1]))
        print(f"{retriever.count()} tracks, {len(questions)} prompts, torch {torch.__version__}\n")
        print(f"{HEAD}\n|{' --- |' * (HEAD.count('|') - 1)}", flush=True)
        limit = [figures(retriever, q, q.same, True) for q in questions]
        print(row(Sampler.DDIM, REFERENCE_STEPS, limit, REFERENCE_STEPS / USUAL[1]), flush=True)
        third = [q.steering.but(steps=REFERENCE_STEPS, seed=3) for q in questions]
        chance = [
            figures(retriever, q, retriever.query(steering), False)
            for q, steering in zip(questions, third, strict=True)
        ]
        print(row("another seed", REFERENCE_STEPS, chance, REFERENCE_STEPS / USUAL[1]), flush=True)
        samplers = [Sampler.DDIM, Sampler.DPM, *SCHEDULERS]
        for sampler, steps in product(samplers, STEPS):
            paired = sampler not in SCHEDULERS or not SCHEDULERS[sampler].fresh
            values = []
            for q in questions:
                query = retriever.query(q.steering.but(sampler=sampler, steps=steps))
                values.append(figures(retriever, q, query, paired))
            ratio = seconds(retriever, first.but(sampler=sampler, steps=steps)) / usual_s
            print(row(sampler, steps, values, ratio), flush=True)


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, default=DEMO, metavar="FOLDER", help="music (default: demo)"
    )
    parser.add_argument(
        "--prompts", type=int, default=len(PROMPTS), metavar="N", help="use the first N prompts"
    )
    return parser


if __name__ == "__main__":
    arguments = options().parse_args()
    main(arguments.folder, arguments.prompts)
