"""Measure the model that ships, on held-out recordings and on clips with human captions.

    python -m recipes.builtin.report.evaluate --work DIR [--model builtin] [--sweep]

The questions are in `tasks.py`: held-out recordings under generated captions, Noise2Music under
human ones, genres and moods by name. Settings were chosen on the last two (`--sweep`), so they are
development sets. `DIR` needs what `sources` and `prepare` make, and no more: `make builtin-report`
does all three. Prints Markdown and writes `DIR/report.json`.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gdr_model.diffusion.guidance import Guided
from gdr_model.diffusion.inversion import invert
from gdr_model.diffusion.sampling import ddim, noise
from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.models import checkpoint
from gdr_model.search.whitening import Whitening, unit
from gdr_model.types import PASSAGE_S, Array
from recipes.builtin.report.scores import (
    CUTS,
    DRAWS_ROW,
    RIDGE_ROW,
    RULES,
    SHIPPED_ROW,
    TOWER_ROW,
    Recall,
    chance,
    fuse,
)
from recipes.builtin.report.tasks import (
    Task,
    by_class,
    clips_heard,
    noise2music,
    own_task,
    recordings,
)
from training.metrics.arrays import Floats
from training.metrics.intervals import difference_interval, interval
from training.metrics.retrieval import average_precision, ranks
from training.words.teacher import MUSIC, VOICE, labels

DRAWS, STEPS, GUIDANCE = 8, 12, 3.0
RIDGE = Path(__file__).with_name("ridge.npz")
"""Ridge regression on the captions that the model learnt from; it ships for the comparison."""


def draw(
    model: checkpoint.Model, queries: list[str], guidance: float, steps: int, draws: int, seed: int
) -> Array:
    """Drawn latents, mean over time: (queries, draws, D)."""
    grid = model.schedule.grid(steps)
    start = noise(draws, PASSAGE_S, model.space.dim, seed)
    drawn = []
    for query in queries:
        guided = Guided.build(model.velocity, model.text.embed(["", query]), guidance)
        x = ddim(guided, start, grid, model.schedule)
        drawn.append(model.drawn(x))
    return np.stack(drawn)


def scored(drawn: Array, gallery: Array, whitening: Whitening, rule: str) -> Array:
    """Fused scores (queries, N)."""
    vectors = whitening.apply(drawn)
    return np.stack([fuse(own @ gallery.T, rule) for own in vectors])


def ranked(
    model: checkpoint.Model, ridge: Path, task: Task, seed: int
) -> tuple[dict[str, Array], float]:
    """Scores (Q, N) by every method, and the mean cosine between the draws of a query."""
    gallery = task.gallery(model.whitening)
    drawn = draw(model, task.queries, GUIDANCE, STEPS, DRAWS, seed)
    pooled = np.concatenate([model.text.embed([q]).pooled for q in task.queries])
    with torch.inference_mode():
        points = model.contrastive(torch.from_numpy(pooled)).numpy()
    share = model.config.anchor_share
    scores = {rule: scored(drawn, gallery, model.whitening, rule) for rule in RULES}
    tower = points @ gallery.T
    found = {SHIPPED_ROW: (1 - share) * scores["mean"] + share * tower}
    found |= {f"draws alone, {rule}": own for rule, own in scores.items()}
    found["one draw"] = scored(drawn[:, :1], gallery, model.whitening, "mean")
    found[TOWER_ROW] = tower
    with np.load(ridge) as line:
        found[RIDGE_ROW] = (pooled @ line["weight"] + line["bias"]) @ gallery.T
    vectors = model.whitening.apply(drawn)
    pairs = np.einsum("qad,qbd->qab", vectors, vectors)
    alike = (pairs.sum(axis=(1, 2)) - DRAWS) / (DRAWS * (DRAWS - 1))
    return found, float(alike.mean())


def minus(ours: Floats, others: dict[str, Floats]) -> dict[str, str]:
    """Our values (Q,) less those of each baseline, as means with paired 95 % intervals."""
    return {
        name: str(difference_interval(ours, others[name], resamples=2000))
        for name in (TOWER_ROW, RIDGE_ROW)
    }


def retrieval(model: checkpoint.Model, ridge: Path, task: Task, seed: int) -> dict[str, Any]:
    """Recall of every method on a task whose queries are about single passages."""
    scores, alike = ranked(model, ridge, task, seed)
    places = {name: ranks(own, task.correct) for name, own in scores.items()}
    found = {name: Recall.of(own) for name, own in places.items()}
    hits: dict[str, Floats] = {n: np.where(own <= 10, 100.0, 0.0) for n, own in places.items()}
    return {
        "queries": len(task.queries),
        "gallery": len(task.passages),
        "chance": {k: 100 * chance(task.correct, k) for k in CUTS},
        "recall": {name: asdict(recall) for name, recall in found.items()},
        "table": [recall.row(name) for name, recall in found.items()],
        "minus": minus(hits[SHIPPED_ROW], hits),
        "draws_minus": minus(hits[DRAWS_ROW], hits),
        "cosine_between_draws": alike,
    }


def by_name(model: checkpoint.Model, ridge: Path, task: Task, seed: int) -> dict[str, Any]:
    """Mean average precision of every method on queries that name a class."""
    scores, _ = ranked(model, ridge, task, seed)
    precision = {name: average_precision(own, task.correct) for name, own in scores.items()}
    return {
        "queries": len(task.queries),
        "gallery": len(task.passages),
        "map": {name: str(interval(own, resamples=2000)) for name, own in precision.items()},
        "each": dict(zip(task.queries, np.round(precision[SHIPPED_ROW], 3).tolist(), strict=True)),
        "minus": minus(precision[SHIPPED_ROW], precision),
        "draws_minus": minus(precision[DRAWS_ROW], precision),
    }


def fidelity(model: checkpoint.Model, task: Task, count: int = 40) -> dict[str, float]:
    """Invert held-out passages without words and draw them back."""
    some = task.passages[:: max(1, len(task.passages) // count)]
    x0 = np.stack([p[np.arange(PASSAGE_S) % len(p)] for p in some])
    x = model.passages(x0)
    guided = Guided.build(model.velocity, model.text.embed(["", ""]), 0.0)
    grid = model.schedule.grid(STEPS)
    z = invert(guided, x, grid, model.schedule)
    back = ddim(guided, z, grid, model.schedule)
    alike = torch.cosine_similarity(x.flatten(1), back.flatten(1))
    return {
        "passages": len(x),
        "round_trip_cosine": float(alike.mean()),
        "round_trip_cosine_least": float(alike.min()),
        "inverted_noise_sd": float(z.std()),
        "passage_sd": float(x.std()),
    }


def speed(model: checkpoint.Model) -> dict[str, float]:
    """Processor time: real time over encoding, and seconds to draw for one prompt."""
    sound = np.random.default_rng(0).normal(0, 0.1, 120 * SAMPLE_RATE_HZ).astype(np.float32)
    encode, drawing = [], []
    for trial in range(5):
        began = time.process_time()
        model.encoder.encode(sound)
        middle = time.process_time()
        draw(model, [f"calm piano music, take {trial}"], GUIDANCE, STEPS, DRAWS, 0)
        encode.append(middle - began)
        drawing.append(time.process_time() - middle)
    return {"encode_x": 120 / float(np.median(encode)), "draw_s": float(np.median(drawing))}


def asked_teacher(model: checkpoint.Model, task: Task, heard: Array) -> dict[str, float]:
    """The teacher itself, asked by classes weighted by their likeness to the caption.

    `heard` holds its logits (N, 521) of the clips. No training, and no student in between: how
    far labels alone go.
    """
    names = labels()
    kept = [0, *range(VOICE.start, VOICE.stop), *range(MUSIC.start, MUSIC.stop)]
    logits = heard[:, kept]
    z = (logits - logits.mean(axis=0)) / logits.std(axis=0)
    words = unit(np.concatenate([model.text.embed([names[i]]).pooled for i in kept]))
    asked = unit(np.concatenate([model.text.embed([q]).pooled for q in task.queries]))
    alike = asked @ words.T
    alike -= alike.mean(axis=0)
    weights = np.exp(alike / 0.05)
    weights = weights / weights.sum(axis=1, keepdims=True) - 1 / len(kept)
    recall = Recall.of(ranks(weights @ z.T, task.correct))
    return {f"R@{k}": recall.at[k] for k in CUTS}


def sweep(model: checkpoint.Model, task: Task, seed: int) -> list[dict[str, float]]:
    """Recall at 10 over guidance, steps and whitening power, on the development set."""
    found = []
    for guidance, steps in ((2.0, 12), (3.0, 8), (3.0, 16), (5.0, 12)):
        drawn = draw(model, task.queries, guidance, steps, DRAWS, seed)
        for power in (0.0, 0.5, 0.75, 1.0):
            whitening = Whitening(model.whitening.mean, model.whitening.sd, power)
            for rule in ("mean", "rrf", "max"):
                scores = scored(drawn, task.gallery(whitening), whitening, rule)
                recall = Recall.of(ranks(scores, task.correct), resamples=10)
                line = {f"R@{k}": round(recall.at[k], 1) for k in CUTS}
                found.append({"guidance": guidance, "steps": steps, "power": power, **line})
                print(f"g {guidance:g} steps {steps} power {power:g} {rule}: {line}", flush=True)
    return found


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR")
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--ridge", type=Path, default=RIDGE, help="that of another run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sweep", action="store_true", help="only choose settings")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = checkpoint.load(arguments.model, "cpu")
    if arguments.sweep:
        sweep(model, noise2music(model), arguments.seed)
        return
    report: dict[str, Any] = {
        "model": model.space.fingerprint,
        "settings": {"draws": DRAWS, "steps": STEPS, "guidance": GUIDANCE, "seed": arguments.seed},
        "whitening_power": model.whitening.power,
    }
    tracks = recordings(arguments.work)
    held = own_task(tracks, model)
    clips, heard = noise2music(model), clips_heard()
    for task in (held, clips):
        result = retrieval(model, arguments.ridge, task, arguments.seed)
        report[task.name] = result
        by_chance = " | ".join(f"{v:.1f}" for v in result["chance"].values())
        print(f"\n{task.name}: {result['queries']} queries, {result['gallery']} passages\n")
        print("| method | R@1 | R@5 | R@10 | median rank |\n| --- | --- | --- | --- | --- |")
        print("\n".join(result["table"]))
        print(f"| chance | {by_chance} | |", flush=True)
        print(f"\ncosine between draws {result['cosine_between_draws']:.3f}", flush=True)
    for task in by_class(tracks, model, clips, heard):
        named = by_name(model, arguments.ridge, task, arguments.seed)
        report[task.name] = named
        print(f"\n{task.name}: {named['queries']} queries, {named['gallery']} passages, mAP\n")
        print("\n".join(f"{name}: {value}" for name, value in named["map"].items()), flush=True)
        print(f"gdr minus: {named['minus']}; draws minus: {named['draws_minus']}\n{named['each']}")
    report["inversion"] = fidelity(model, held)
    report["speed"] = speed(model)
    report["teacher"] = asked_teacher(model, clips, heard)
    for part in ("inversion", "speed", "teacher"):
        print(f"\n{part}: {report[part]}")
    half = arguments.work / "report.json.part"
    half.write_text(json.dumps(report, indent=2) + "\n")
    half.replace(arguments.work / "report.json")


if __name__ == "__main__":
    main()
