"""The trainer: from a `RunInput` to a folder with weights, log and curves.

The folder of a run holds

config.json         the configuration, the held-out part, the shape of the network
splits.json         which tracks are in which part, where a set is split by track
log.csv             one row per logged step, with the processor time of training up to it;
                    TensorBoard events too if that is installed
state.safetensors   what an interrupted run resumes from; deleted once the run is finished
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
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gdr_model.diffusion import loss
from gdr_model.diffusion.denoisers import KINDS, POOLED, Network, build, describe
from gdr_model.diffusion.prediction import to_x0
from gdr_model.errors import Cancelled, UsageError
from gdr_model.types import Cancel, never
from training.data.texts import Texts
from training.runs import report, state
from training.runs.config import RunConfig
from training.runs.ema import Ema
from training.runs.processes import ALONE, Processes
from training.runs.run_input import RunInput, TrainingBatch

LOGGED = 10
"""Steps between two rows of the log."""
Objective = Callable[[Network, TrainingBatch, RunConfig, int], Tensor]
"""What a step minimises: network, batch, configuration and step to a loss."""
COLUMNS = ("step", "loss", "gradient", "rate", "processor_s")
"""Of the log, before the figures of a validation."""


@dataclass(frozen=True)
class TrainingProgress:
    """How far a run has got."""

    step: int
    steps: int
    loss: float
    elapsed_s: float
    scores: dict[str, float] = field(default_factory=dict)
    """The last validation."""


def train(
    config: RunConfig,
    given: RunInput,
    folder: Path,
    *,
    resume: bool = False,
    device: torch.device | None = None,
    among: Processes = ALONE,
    on_progress: Callable[[TrainingProgress], None] = lambda _: None,
    cancelled: Cancel = never,
) -> dict[str, Any]:
    """Train, and leave model and report in `folder`; returns the metrics.

    Of several processes, the first writes, and it alone returns metrics; the others return {}.

    Raises:
        UsageError: if the folder already holds a run and `resume` is not set, or the batch
            cannot be shared equally by the processes.
        RunError: if there is nothing to resume, or it is another run.
        Cancelled: between steps, when asked; what was done is kept.
    """
    among.share(config.optimiser.batch)
    state.require_free(folder, resume)
    device = device or torch.device("cpu")
    net = deepcopy(given.network).requires_grad_(True).to(device)
    ema, optimiser = Ema(net, config.optimiser.ema), adamw(net, config)
    folder.mkdir(parents=True, exist_ok=True)
    begin = 0
    if resume:
        stored, *others = state.read_config(folder)
        stored = replace(stored, draw=config.draw)  # validations alone depend on it
        if (stored, *others) != (config, given.held_out, as_json(describe(net))):
            raise state.RunError(
                f"{folder} holds a run of another configuration; use another --out"
            )
        if (folder / state.STATE).exists():
            begin = state.load_state(folder, net, ema, optimiser)
    among.wait()  # until all have seen the folder as it was
    if among.first:
        state.write_config(folder, config, given.held_out, describe(net))
    validation = given.validation
    log = Log(folder, (*COLUMNS, *validation.figures), begin) if among.first else None
    began, steps = time.monotonic(), config.optimiser.steps
    begin_s = time.process_time() - (log.processor_s if log else 0.0)
    scores: dict[str, float] = {}
    loss_of = among.averaging(net, partial(objective, among=among))
    with closing(log) if log else nullcontext():
        for step in range(begin, steps):
            if among.any(cancelled()):
                if among.first:
                    state.save_state(folder, step, net, ema, optimiser)
                raise Cancelled("the run was stopped; gdr train --resume continues from here")
            batch = given.batches.batch(step).to(device)
            value, gradient = one_step(net, batch, optimiser, config, step, loss_of, among)
            ema.update(net)
            if log is None:
                continue
            done = step + 1
            due = config.validate_every and done % config.validate_every == 0
            if due or done == steps:
                asked_s = time.process_time()
                with ema.inside(net):
                    scores = validation(net)
                begin_s += time.process_time() - asked_s
            if done % LOGGED == 0 or due or done == steps:
                rate = optimiser.param_groups[0]["lr"]
                spent_s = time.process_time() - begin_s
                found = scores if due or done == steps else {}
                log.row(done, value, gradient, rate, spent_s, found)
            if config.keep_every and done % config.keep_every == 0 and done < steps:
                state.save_state(folder, done, net, ema, optimiser)
            on_progress(TrainingProgress(done, steps, value, time.monotonic() - began, scores))
    if not among.first:
        return {}
    state.save_model(folder, net, ema, given.space)
    (folder / state.STATE).unlink(missing_ok=True)
    metrics = {
        "parameters": sum(p.numel() for p in net.parameters()),
        **given.counts,
        "steps": steps,
        "batch": config.optimiser.batch,
        "seconds": round(time.monotonic() - began, 1),
        "validation": scores,
    }
    state.write_json(folder / "metrics.json", metrics)
    report.curves(folder)
    return metrics


def as_json(value: Any) -> Any:
    """The value as JSON returns it: lists for tuples."""
    return json.loads(json.dumps(value))


def network(config: RunConfig, dim: int, texts: Texts) -> Network:
    """The network of a configuration; its weights are a function of the seed.

    `dim` is the width of the latents; `texts` gives the widths of the words.

    Raises:
        UsageError: if its kind is unknown, or a field of its shape.
    """
    shape = {k: tuple(v) if isinstance(v, list) else v for k, v in config.network.items()}
    kind = shape.get("kind")
    if kind not in KINDS:
        raise UsageError(f"network.kind is {kind!r}; use one of {', '.join(KINDS)}")
    tokens, pooled = texts.tokens.shape[1], texts.pooled.shape[1]
    shape |= {"dim": dim, "text_width": pooled if kind in POOLED else tokens}
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


def objective(
    net: Network,
    batch: TrainingBatch,
    config: RunConfig,
    step: int,
    among: Processes = ALONE,
) -> Tensor:
    """The loss: denoising, and the contrast between time-means if the configuration has one.

    Of several processes, each has the whole batch and computes the loss of its rows; all rows
    contrast with each other.
    """
    d = config.diffusion
    generator = torch.Generator().manual_seed((config.optimiser.seed * 7_368_787 + step) % 2**63)
    times = d.schedule.times
    t = (times * (1 - noise_shares(len(batch.x0), config, generator) ** d.noisier)).long()
    eps = torch.randn(batch.x0.shape, generator=generator)
    rows, device, whole = among.share(len(batch.x0)), batch.x0.device, batch
    batch, t, eps = whole.rows(rows), t.clamp(0, times - 1)[rows].to(device), eps[rows].to(device)
    x = d.schedule.add_noise(batch.x0, eps, t)
    output = net(x, t, net.read(batch.states, batch.mask, batch.pooled)).float()
    value = loss.denoising(
        output, batch.x0, eps, t, d.schedule, d.prediction, d.min_snr, d.mean_weight
    )
    # Without words, only the noisy passages themselves could tell one from another.
    worded = whole.mask.any(1)
    if d.nt_xent and worded.any():
        means = among.gathered(to_x0(output, x, t, d.schedule, d.prediction).mean(1))
        contrast = loss.nt_xent(means[worded], whole.x0[worded].mean(1), d.tau)
        value = value + d.nt_xent * contrast
    return value


def one_step(
    net: Network,
    batch: TrainingBatch,
    optimiser: torch.optim.Optimizer,
    config: RunConfig,
    step: int,
    loss_of: Objective = objective,
    among: Processes = ALONE,
) -> tuple[float, float]:
    """Loss and gradient's norm of one step; of several processes, those of the whole batch."""
    o = config.optimiser
    for group in optimiser.param_groups:
        group["lr"] = rate_at(step, config)
    net.train()
    device = batch.x0.device
    half = o.precision == "bf16" and device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        # Dropout has no generator of its own.
        torch.manual_seed((o.seed * 1_000_003 + step + among.rank * 2**40) % 2**63)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            value = loss_of(net, batch, config, step)
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(net.parameters(), o.clip)
    optimiser.step()
    return among.mean(float(value.detach())), float(norm)


def noise_shares(size: int, config: RunConfig, generator: torch.Generator) -> Tensor:
    """Uniform numbers (B,) from which the times of a batch follow."""
    u = torch.rand(size, generator=generator)
    if not config.diffusion.stratified:
        return u
    # Neighbours in a batch may be of one kind; their times must not be.
    return (torch.randperm(size, generator=generator) + u) / size


class Log:
    """`log.csv`, and TensorBoard's log if that is installed."""

    def __init__(self, folder: Path, columns: Sequence[str], begin: int) -> None:
        self.path = folder / "log.csv"
        kept: list[dict[str, str]] = []
        if begin and self.path.exists():
            with self.path.open(encoding="utf-8", newline="") as file:
                # Rows after the saved state are written again.
                kept = [row for row in csv.DictReader(file) if int(row["step"]) <= begin]
        self.processor_s = float(kept[-1].get("processor_s") or 0) if kept else 0.0
        """Seconds of processor time up to the last row kept, without those of validations."""
        self.file = self.path.open("w", encoding="utf-8", newline="")
        self.rows = csv.DictWriter(self.file, columns, lineterminator="\n")
        self.rows.writeheader()
        self.rows.writerows(kept)
        self.board = report.board(folder)

    def row(
        self,
        step: int,
        value: float,
        gradient: float,
        rate: float,
        processor_s: float,
        scores: dict[str, float],
    ) -> None:
        """Write one row; figures that were not measured stay empty."""
        measured = (value, gradient, rate, processor_s)
        found = dict(zip(COLUMNS[1:], measured, strict=True)) | scores
        self.rows.writerow({"step": step, **{k: f"{v:.6g}" for k, v in found.items()}})
        self.file.flush()
        if self.board is not None:
            for name, figure in found.items():
                self.board.add_scalar(name, figure, step)

    def close(self) -> None:
        """Close the files."""
        self.file.close()
        if self.board is not None:
            self.board.close()
