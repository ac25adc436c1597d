"""A training run, read from top to bottom: corpus, space, network, steps, model, report.

The folder of a run holds

config.json         the configuration, the held-out part, the shape of the network
splits.json         which tracks are in which part
log.csv             a row a logged step; TensorBoard events beside it where that is installed
state.safetensors   what an interrupted run goes on from; gone once the run is finished
model.safetensors   the mean weights (ema.*), the last weights (net.*) and the space
metrics.json, curves.png   the report

Batches, noise and dropout are functions of seed and step: a run that was interrupted and resumed
equals one that was not, to the last bit.
"""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gdr_model.diffusion import loss
from gdr_model.diffusion.denoisers import KINDS, Network, build, describe
from gdr_model.errors import Cancelled, UsageError
from gdr_model.types import Array, Cancel, never
from training import metrics
from training.data.corpus import Corpus, read_corpus
from training.evaluation import fusion
from training.evaluation.drawing import Drawer
from training.runs import report, state
from training.runs.batches import Batch, Pairs
from training.runs.config import RunConfig
from training.runs.ema import Ema
from training.runs.space import Space

LOGGED = 10
"""Steps between two rows of the log."""
ANCHOR_DRAWS = 4
VALIDATED = 400
"""Held-out captions that validation asks for, at most."""
COLUMNS = ("step", "loss", "gradient", "rate", "R@1", "R@10", "median_rank")


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    step: int
    steps: int
    loss: float
    elapsed_s: float
    scores: dict[str, float] = field(default_factory=dict)
    """The last validation."""


def train(
    config: RunConfig,
    part: str,
    folder: Path,
    *,
    resume: bool = False,
    corpus: Corpus | None = None,
    space: Space | None = None,
    start: Network | None = None,
    device: torch.device | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Cancel = never,
) -> dict[str, Any]:
    """Train with `part` held out, and leave model and report in `folder`; returns the metrics.

    `corpus` and `space` replace what the configuration reads and fits, `start` a fresh network.

    Raises:
        UsageError: if the folder holds a run already and `resume` was not asked for.
        RunError: if there is nothing to resume, or it is another run.
        Cancelled: between steps, when asked; what was done is kept.
    """
    device = device or torch.device("cpu")
    if (folder / state.CONFIG).exists() and not resume:
        raise UsageError(f"{folder} holds a run already; give --resume, or another --out")
    corpus = corpus or read_corpus(config.data)
    out, _ = corpus.held_out(part)
    kept = [track for track, away in zip(corpus.latents, out, strict=True) if not away]
    space = space or Space.fit(config.data, kept)
    net = deepcopy(start) if start is not None else network(config, space, corpus)
    net.requires_grad_(True).to(device)
    pairs = Pairs(corpus, part, space, config, net.config.frames)
    ema, optimiser = Ema(net, config.optimiser.ema), adamw(net, config)
    folder.mkdir(parents=True, exist_ok=True)
    begin = 0
    if resume:
        if state.read_config(folder) != (config, part, as_json(describe(net))):
            raise state.RunError(
                f"{folder} holds a run of another configuration; use another --out"
            )
        if (folder / state.STATE).exists():
            begin = state.load_state(folder, net, ema, optimiser)
    state.write_config(folder, config, part, describe(net))
    corpus.splits.save(folder / "splits.json")
    check = Validation(config, corpus, part, space)
    log = Log(folder, begin)
    began, steps, scores = time.monotonic(), config.optimiser.steps, {}
    with closing(log):
        for step in range(begin, steps):
            if cancelled():
                state.save_state(folder, step, net, ema, optimiser)
                raise Cancelled("the run was stopped; gdr train --resume goes on from here")
            value, gradient = one_step(net, pairs.batch(step).to(device), optimiser, config, step)
            ema.update(net)
            done = step + 1
            due = config.validate_every and done % config.validate_every == 0
            if due or done == steps:
                with ema.inside(net):
                    scores = check(net)
            if done % LOGGED == 0 or due or done == steps:
                rate = optimiser.param_groups[0]["lr"]
                log.row(done, value, gradient, rate, scores if due or done == steps else {})
            if config.keep_every and done % config.keep_every == 0 and done < steps:
                state.save_state(folder, done, net, ema, optimiser)
            on_progress(Progress(done, steps, value, time.monotonic() - began, scores))
    with ema.inside(net):
        explained = pairs_explained(net, pairs, config)
    state.save_model(folder, net, ema, space, explained)
    (folder / state.STATE).unlink(missing_ok=True)
    found = {
        "parameters": sum(p.numel() for p in net.parameters()),
        "tracks": len(kept),
        "captions": len(pairs.caption),
        "written_captions": len(pairs.written_caption),
        "held_out_tracks": int(out.sum()),
        "seconds": round(time.monotonic() - began, 1),
        "validation": scores,
    }
    state.write_json(folder / "metrics.json", found)
    report.curves(folder)
    return found


def as_json(value: Any) -> Any:
    """As JSON would give it back: lists in the place of tuples."""
    return json.loads(json.dumps(value))


def network(config: RunConfig, space: Space, corpus: Corpus) -> Network:
    """The network of a configuration, its weights a function of the seed.

    Raises:
        UsageError: if its kind is unknown, or a field of its shape.
    """
    shape = {k: tuple(v) if isinstance(v, list) else v for k, v in config.network.items()}
    kind = shape.get("kind")
    if kind not in KINDS:
        raise UsageError(f"network.kind is {kind!r}; use one of {', '.join(KINDS)}")
    tokens, pooled = corpus.texts.tokens.shape[1], corpus.texts.pooled.shape[1]
    shape |= {"dim": space.dim, "text_width": pooled if kind == "mlp" else tokens}
    if kind == "transformer" and pooled != tokens:
        shape["pooled_width"] = pooled
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.optimiser.seed)
        try:
            return build(shape)
        except (TypeError, ValueError) as error:
            raise UsageError(f"network does not describe a {kind}: {error}") from error


def adamw(net: Network, config: RunConfig) -> torch.optim.Optimizer:
    """The optimiser; its rate is set before every step."""
    o = config.optimiser
    return torch.optim.AdamW(net.parameters(), o.rate, o.betas, weight_decay=o.weight_decay)


def rate_at(step: int, config: RunConfig) -> float:
    """Linear warm-up, then a cosine down to the final rate."""
    o = config.optimiser
    if step < o.warmup:
        return o.rate * (step + 1) / o.warmup
    share = (step - o.warmup) / max(1, o.steps - o.warmup)
    return o.final_rate + (o.rate - o.final_rate) * 0.5 * (1 + math.cos(math.pi * share))


def one_step(
    net: Network, batch: Batch, optimiser: torch.optim.Optimizer, config: RunConfig, step: int
) -> tuple[float, float]:
    """Loss and gradient's norm of one step."""
    o = config.optimiser
    for group in optimiser.param_groups:
        group["lr"] = rate_at(step, config)
    net.train()
    device = batch.x0.device
    half = o.precision == "bf16" and device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        # Dropout has no generator of its own.
        torch.manual_seed((o.seed * 1_000_003 + step) % 2**63)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            value = objective(net, batch, config, step)
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(net.parameters(), o.clip)
    optimiser.step()
    return float(value.detach()), float(norm)


def objective(net: Network, batch: Batch, config: RunConfig, step: int) -> Tensor:
    """What is made small: the denoising loss, and the contrast where it is asked for."""
    d = config.diffusion
    generator = torch.Generator().manual_seed((config.optimiser.seed * 7_368_787 + step) % 2**63)
    size, times = len(batch.x0), d.schedule.times
    u = torch.rand(size, generator=generator)
    t = (times * (1 - u**d.noisier)).long().clamp(0, times - 1).to(batch.x0.device)
    eps = torch.randn(batch.x0.shape, generator=generator).to(batch.x0.device)
    x = d.schedule.add_noise(batch.x0, eps, t)
    output = net(x, t, net.read(batch.states, batch.mask, batch.pooled)).float()
    value = loss.denoising(
        output, batch.x0, eps, t, d.schedule, d.prediction, d.min_snr, d.mean_weight
    )
    if d.nt_xent:
        contrast = loss.nt_xent(output, x, batch.x0, t, d.schedule, d.prediction, d.tau)
        value = value + d.nt_xent * contrast
    return value


def pairs_explained(net: Network, pairs: Pairs, config: RunConfig) -> Array:
    """(D,) how much the anchors of the training captions differ: the variance words explain."""
    text = pairs.texts.of(np.unique(pairs.caption), pairs.states)
    drawer = Drawer(net, config.diffusion.schedule, config.diffusion.prediction)
    return np.asarray(drawer.anchor(text, ANCHOR_DRAWS, config.optimiser.seed).mean(1).var(0))


class Validation:
    """Retrieval of held-out captions among all tracks, as evaluation does it but fewer of them."""

    def __init__(self, config: RunConfig, corpus: Corpus, part: str, space: Space) -> None:
        self.config, self.space = config, space
        _, items = corpus.held_out(part)
        rows = np.flatnonzero(items)
        some = np.zeros_like(items)
        some[rows[:: max(1, math.ceil(len(rows) / VALIDATED))]] = True
        self.text = corpus.texts.of(corpus.caption_of[some], config.network["kind"] != "mlp")
        self.correct = corpus.correct(some)
        self.gallery = np.stack([space.standard(track).mean(0) for track in corpus.latents])

    def __call__(self, net: Network) -> dict[str, float]:
        """R@1, R@10 and median rank."""
        c = self.config
        drawer = Drawer(net, c.diffusion.schedule, c.diffusion.prediction)
        d = c.draw
        drawn = drawer.drawn(self.text, d, c.optimiser.seed)
        scores = fusion.fused(drawn, self.gallery, self.space, d.rule)
        ranks = metrics.ranks(scores, self.correct)
        return {
            "R@1": metrics.recall_at(ranks, 1),
            "R@10": metrics.recall_at(ranks, 10),
            "median_rank": metrics.median_rank(ranks),
        }


class Log:
    """`log.csv`, and TensorBoard beside it where that is installed."""

    def __init__(self, folder: Path, begin: int) -> None:
        self.path = folder / "log.csv"
        kept: list[dict[str, str]] = []
        if begin and self.path.exists():
            with self.path.open(encoding="utf-8", newline="") as file:
                # Rows after the saved state will be written again.
                kept = [row for row in csv.DictReader(file) if int(row["step"]) <= begin]
        self.file = self.path.open("w", encoding="utf-8", newline="")
        self.rows = csv.DictWriter(self.file, COLUMNS, lineterminator="\n")
        self.rows.writeheader()
        self.rows.writerows(kept)
        self.board = report.board(folder)

    def row(
        self, step: int, value: float, gradient: float, rate: float, scores: dict[str, float]
    ) -> None:
        """Write one row; figures that were not measured stay empty."""
        found = {"loss": value, "gradient": gradient, "rate": rate, **scores}
        self.rows.writerow({"step": step, **{k: f"{v:.6g}" for k, v in found.items()}})
        self.file.flush()
        if self.board is not None:
            for name, figure in found.items():
                self.board.add_scalar(name, figure, step)

    def close(self) -> None:
        """Everything is on the disk."""
        self.file.close()
        if self.board is not None:
            self.board.close()
