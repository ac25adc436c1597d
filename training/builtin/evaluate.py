"""Measure the model that ships, on held-out tracks and on generated clips with human captions.

    python -m training.builtin.evaluate --work DIR [--model builtin] [--sweep]

Held-out: passages of tracks nobody trained on; a caption is right about one passage. Noise2Music
(`$GDR_SHARED/data/noise2music_dev`): 195 clips, 64 captions, each right about every clip made
from it; settings were chosen on it (`--sweep`), so it is a development set. Prints Markdown and
writes `DIR/report.json`.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gdr_model import checkpoint
from gdr_model.diffusion.guidance import Guided
from gdr_model.diffusion.inversion import invert
from gdr_model.diffusion.sampling import ddim, noise
from gdr_model.encoders.builtin import SAMPLE_RATE_HZ, normalise_loudness
from gdr_model.types import PASSAGE_S, Array
from gdr_model.whitening import Whitening, unit
from training.builtin.captions import captions
from training.builtin.facts import Corpus
from training.builtin.prepare import Store, decode
from training.builtin.scores import CUTS, SHIPPED_ROW, Bools, Recall, chance, fuse
from training.builtin.teacher import MUSIC, Teacher, labels, shared
from training.builtin.train_encoder import VOICE
from training.metrics.retrieval import ranks

DRAWS, STEPS, GUIDANCE = 8, 12, 3.0
PASSAGE = 24
PER_TRACK = 8
QUERIES = 200


@dataclass(frozen=True)
class Task:
    """Queries, a gallery of passages and which of them answer which query."""

    name: str
    queries: list[str]
    passages: list[Array]  # latents (T, D) each
    correct: Bools  # (Q, N)

    def gallery(self, whitening: Whitening) -> Array:
        """Search vectors (N, D)."""
        return whitening.apply(np.stack([p.mean(axis=0) for p in self.passages]))


def own_task(work: Path, model: checkpoint.Model) -> Task:
    """Passages of 24 s of every held-out track; every other one (about) is asked for."""
    tracks = Store(work).load()
    corpus = Corpus.fit([t for t in tracks if t.record["split"] == "train"], labels())
    rng = np.random.default_rng(5)
    passages, written = [], []
    for track in tracks:
        if track.record["split"] != "test":
            continue
        # float16 mel and all: what the encoder reads in use differs by less than its rounding.
        mel = torch.from_numpy(track.mel.astype(np.float32))[None]
        with torch.inference_mode():
            latents = (model.encoder.net(mel)[0] @ model.encoder.projection).numpy()
        count = max(1, min(PER_TRACK, track.seconds // PASSAGE))
        for start in np.linspace(0, max(0, track.seconds - PASSAGE), count).astype(int):
            length = min(PASSAGE, track.seconds - int(start))
            passages.append(latents[start : start + length])
            facts = corpus.facts(track, int(start), length)
            # Whole phrases: nobody can tell a passage by one word.
            options = [c for c in captions(facts, rng, 12) if len(c.split()) >= 4]
            written.append(options[0] if options else facts.classes[0][0])
    asked = np.sort(rng.permutation(len(passages))[:QUERIES])
    correct = np.arange(len(passages))[None] == asked[:, None]
    return Task("held-out tracks", [written[i] for i in asked], passages, correct)


def noise2music(model: checkpoint.Model) -> Task:
    """195 generated clips under the 64 human captions they were generated from."""
    folder = shared() / "data" / "noise2music_dev"
    with (folder / "captions.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["file"], row["caption"].strip()) for row in csv.DictReader(file)]
    queries = sorted({caption for _, caption in rows})
    passages = [model.encoder.encode(decode(folder / name))[:PASSAGE_S] for name, _ in rows]
    correct = np.array([[caption == query for _, caption in rows] for query in queries])
    return Task("Noise2Music", queries, passages, correct)


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
        drawn.append((x * model.latent_sd + model.latent_mean).mean(dim=1).numpy())
    return np.stack(drawn)


def scored(drawn: Array, gallery: Array, whitening: Whitening, rule: str) -> Array:
    """Fused scores (queries, N)."""
    vectors = whitening.apply(drawn)
    return np.stack([fuse(own @ gallery.T, rule) for own in vectors])


def towered(model: checkpoint.Model, task: Task) -> Array:
    """The contrastive tower's points (queries, D)."""
    pooled = np.concatenate([model.text.embed([q]).pooled for q in task.queries])
    with torch.inference_mode():
        points: Array = model.contrastive(torch.from_numpy(pooled)).numpy()
    return points


def baselines(model: checkpoint.Model, folder: Path, task: Task) -> dict[str, Recall]:
    """The contrastive tower and ridge regression on a task."""
    gallery = task.gallery(model.whitening)
    pooled = np.concatenate([model.text.embed([q]).pooled for q in task.queries])
    alone = ranks(towered(model, task) @ gallery.T, task.correct)
    found = {"contrastive tower": Recall.of(alone)}
    if (folder / "ridge.npz").exists():
        with np.load(folder / "ridge.npz") as ridge:
            guess = pooled @ ridge["weight"] + ridge["bias"]
        found["ridge regression"] = Recall.of(ranks(guess @ gallery.T, task.correct))
    return found


def retrieval(model: checkpoint.Model, folder: Path, task: Task, seed: int) -> dict[str, Any]:
    """All methods on one task."""
    gallery, drawn = (
        task.gallery(model.whitening),
        draw(model, task.queries, GUIDANCE, STEPS, DRAWS, seed),
    )
    found: dict[str, Recall] = {}
    share = model.config.anchor_share
    mixed = (1 - share) * scored(drawn, gallery, model.whitening, "mean")
    mixed += share * towered(model, task) @ gallery.T
    found[SHIPPED_ROW] = Recall.of(ranks(mixed, task.correct))
    for rule in ("mean", "rrf", "max"):
        scores = scored(drawn, gallery, model.whitening, rule)
        found[f"draws alone, {rule}"] = Recall.of(ranks(scores, task.correct))
    one = scored(drawn[:, :1], gallery, model.whitening, "mean")
    found["one draw"] = Recall.of(ranks(one, task.correct))
    found |= baselines(model, folder, task)
    vectors = model.whitening.apply(drawn)
    pairs = np.einsum("qad,qbd->qab", vectors, vectors)
    alike = (pairs.sum(axis=(1, 2)) - DRAWS) / (DRAWS * (DRAWS - 1))
    return {
        "queries": len(task.queries),
        "gallery": len(task.passages),
        "chance": {k: 100 * chance(task.correct, k) for k in CUTS},
        "recall": {name: asdict(recall) for name, recall in found.items()},
        "table": [recall.row(name) for name, recall in found.items()],
        "cosine_between_draws": float(alike.mean()),
    }


def fidelity(model: checkpoint.Model, task: Task, count: int = 40) -> dict[str, float]:
    """Invert held-out passages without words and draw them back."""
    some = task.passages[:: max(1, len(task.passages) // count)]
    x0 = np.stack([p[np.arange(PASSAGE_S) % len(p)] for p in some])
    x = (torch.from_numpy(x0) - model.latent_mean) / model.latent_sd
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


def asked_teacher(model: checkpoint.Model, task: Task) -> dict[str, float]:
    """The teacher itself on Noise2Music, its classes weighted by likeness to the caption.

    No training, and no student in between: how far labels alone go.
    """
    teacher, names = Teacher(), labels()
    folder = shared() / "data" / "noise2music_dev"
    with (folder / "captions.csv").open(encoding="utf-8", newline="") as file:
        files = [row["file"] for row in csv.DictReader(file)]
    heard = [teacher(normalise_loudness(decode(folder / name)))[0].mean(axis=0) for name in files]
    kept = [0, *range(VOICE.start, VOICE.stop), *range(MUSIC.start, MUSIC.stop)]
    logits = np.stack(heard)[:, kept]
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
    parser.add_argument("--name", default="retriever", help="folder with the ridge regression")
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
    held = own_task(arguments.work, model)
    clips = noise2music(model)
    for task in (held, clips):
        result = retrieval(model, arguments.work / arguments.name, task, arguments.seed)
        report[task.name] = result
        by_chance = " | ".join(f"{v:.1f}" for v in result["chance"].values())
        print(f"\n{task.name}: {result['queries']} queries, {result['gallery']} passages\n")
        print("| method | R@1 | R@5 | R@10 | median rank |\n| --- | --- | --- | --- | --- |")
        print("\n".join(result["table"]))
        print(f"| chance | {by_chance} | |", flush=True)
        print(f"\ncosine between draws {result['cosine_between_draws']:.3f}", flush=True)
    report["inversion"] = fidelity(model, held)
    report["speed"] = speed(model)
    report["teacher"] = asked_teacher(model, clips)
    for part in ("inversion", "speed", "teacher"):
        print(f"\n{part}: {report[part]}")
    half = arguments.work / "report.json.part"
    half.write_text(json.dumps(report, indent=2) + "\n")
    half.replace(arguments.work / "report.json")


if __name__ == "__main__":
    main()
