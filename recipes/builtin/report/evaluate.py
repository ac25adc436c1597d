"""Measure the built-in model on its four sets, as `gdr eval retrieval --data SET` does.

    python -m recipes.builtin.report.evaluate --work DIR [--model builtin]

Everything is ranked by the `Retriever` of `gdr search`. Its parts are measured separately, and so
is the ridge regression that was fitted on the captions the model was trained on. Settings were
chosen on Noise2Music, genres and moods (`sweep`), so these are development sets. Needs `DIR/sets`
(`sets`). Prints Markdown and writes `DIR/NAME.json`, from which `card` writes the model card.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from gdr_model.diffusion.guidance import Guided
from gdr_model.diffusion.inversion import invert
from gdr_model.diffusion.sampling import ddim
from gdr_model.search.whitening import unit
from gdr_model.steering import Steering
from gdr_model.types import PASSAGE_S, Array
from recipes.builtin.baselines import read_ridge
from recipes.builtin.export import SHIPPED_RIDGE
from recipes.builtin.report.sets import BY_NAME, SETS
from recipes.builtin.steps import step_parser
from training import metrics
from training.evaluation.retrieval import GDR, GROUPS, Answers, search_captions, tables
from training.evaluation.ridge import Ridge
from training.evaluation.subjects import Subject, opened
from training.evaluation.tables import Table
from training.runs.state import write_json
from training.words.teacher import MUSIC, VOICE, labels

RIDGE_ROW = "ridge regression"
CUTS = (1, 5, 10)
NAME_TEMPERATURE = 0.05
INVERTED = 40
"""Passages that are inverted and drawn back, about."""


def asked(subject: Subject, ridge: Ridge, seed: int, *, by_name: bool = False) -> dict[str, Any]:
    """Every caption of a set under every system: the tables, and each caption's precision.

    `by_name` is for captions that a tenth of the set answers: precision instead of recall.
    """
    answers = Answers()
    pooled = subject.corpus.texts.pooled[subject.corpus.caption_of[subject.chosen]]
    search_captions(subject, answers, seed, points={RIDGE_ROW: unit(ridge(pooled))})
    shown = [precision_table(answers)] if by_name else tables(answers)
    precisions = np.round(answers.precisions(GDR) / 100, 3).tolist()
    return {
        "queries": len(answers.groups),
        "candidates": answers.candidates,
        "tables": [table.described() for table in shown],
        "markdown": [table.markdown() for table in shown],
        "each": dict(zip(subject.captions, precisions, strict=True)),
    }


def precision_table(answers: Answers) -> Table:
    """Mean average precision of every system, and the first one's lead."""
    table = Table(
        f"Retrieval, {len(answers.groups)} names among {answers.candidates} passages",
        ("mAP %", "gdr minus this"),
        note="95 % bootstrap intervals over the names, paired for differences.",
    )
    ours = answers.precisions(GDR)
    for system in sorted(answers.ranks, key=lambda system: system != GDR):
        if system in GROUPS:
            continue
        precisions = answers.precisions(system)
        lead = metrics.difference_interval(ours, precisions)
        table.add(system, metrics.interval(precisions), "" if system == GDR else lead)
    return table


def inversion(subject: Subject) -> dict[str, float]:
    """Invert passages without words and draw them back."""
    model, steps = subject.model, Steering("-").steps
    passages = subject.gallery.first_passages(model.space)
    some = passages[:: max(1, len(passages) // INVERTED)]
    x = model.passages(np.stack([p[np.arange(PASSAGE_S) % len(p)] for p in some]))
    guided = Guided.build(model.velocity, model.text.embed(["", ""]), 0.0)
    grid = model.schedule.grid(steps)
    z = invert(guided, x, grid, model.schedule)
    back = ddim(guided, z, grid, model.schedule)
    alike = torch.cosine_similarity(x.flatten(1), back.flatten(1))
    return {
        "passages": len(x),
        "round_trip_cosine": float(alike.mean()),
        "round_trip_cosine_least": float(alike.min()),
        "inverted_noise_sd": float(z.std()),
    }


def speed(subject: Subject) -> dict[str, float]:
    """Seconds of processor time to draw for one prompt."""
    drawing = []
    for trial in range(5):
        began = time.process_time()
        subject.retriever.query(Steering(f"calm piano music, take {trial}"))
        drawing.append(time.process_time() - began)
    return {"draw_s": median(drawing)}


def teacher_recalls(subject: Subject, logits: Array) -> dict[str, float]:
    """The first teacher itself, asked by its classes weighted by their similarity to the caption.

    `logits` (N, 521) are its own of the clips, in the order of the set. No training, and no student
    in between: how far labels alone go.
    """
    names = labels()
    kept = [0, *range(VOICE.start, VOICE.stop), *range(MUSIC.start, MUSIC.stop)]
    z = (logits[:, kept] - logits[:, kept].mean(axis=0)) / logits[:, kept].std(axis=0)
    words = unit(subject.model.text.embed([names[i] for i in kept]).pooled)
    alike = unit(subject.model.text.embed(subject.captions).pooled) @ words.T
    weights = np.exp((alike - alike.mean(axis=0)) / NAME_TEMPERATURE)
    weights = weights / weights.sum(axis=1, keepdims=True) - 1 / len(kept)
    ranks = metrics.ranks(weights @ z.T, subject.right)
    return {f"R@{k}": metrics.recall_at(ranks, k) for k in CUTS}


def measure(sets: Path, model: str, ridge: Path, seed: int) -> dict[str, Any]:
    """Everything the card reports."""
    report: dict[str, Any] = {}
    for name in SETS:
        with opened(model, str(sets / name)) as subject:
            report[name] = asked(subject, read_ridge(ridge), seed, by_name=name in BY_NAME)
            print("\n".join([f"\n## {name}\n", *report[name]["markdown"]]), flush=True)
            if name == "held-out":
                report["inversion"], report["speed"] = inversion(subject), speed(subject)
                report["model"] = subject.model.space.fingerprint
                report["whitening_power"] = subject.model.whitening.power
                report["settings"] = {**vars(subject.how), "seed": seed}
            if name == "noise2music":
                logits = np.load(sets / "noise2music-teacher.npy")
                report["teacher"] = teacher_recalls(subject, logits)
    for part in ("inversion", "speed", "teacher"):
        print(f"\n{part}: {report[part]}")
    return report


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--ridge", type=Path, default=SHIPPED_RIDGE, help="that of another run")
    parser.add_argument("--sets", default="sets", help="folder of the sets in DIR")
    parser.add_argument("--name", default="report", help="of the written file")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sets = arguments.work / arguments.sets
    report = measure(sets, arguments.model, arguments.ridge, arguments.seed)
    write_json(arguments.work / f"{arguments.name}.json", report)


if __name__ == "__main__":
    main()
