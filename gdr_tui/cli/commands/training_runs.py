"""`gdr train` and `gdr eval`: progress on stderr while they run, the figures on stdout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gdr_model.errors import GdrError
from gdr_model.models.checkpoint import load, pick_device
from gdr_model.store.library import Library
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.output import write
from gdr_tui.cli.progress import Shown, bars
from gdr_tui.next_steps import for_command_line
from gdr_tui.safe_text import literal
from training.data.corpus import read_corpus
from training.evaluation.control import control
from training.evaluation.fidelity import fidelity
from training.evaluation.retrieval import retrieval
from training.evaluation.steered import Steered, of_library, of_set
from training.evaluation.subjects import is_run
from training.evaluation.tables import save
from training.runs.config import RunConfig
from training.runs.corpus_run import train_on_corpus
from training.runs.export import export
from training.runs.library_run import train_library
from training.runs.train import TrainingProgress as At


def train_run(
    path: Path, fold: str | None, out: Path | None, resume: bool, seed: int | None, device: str
) -> None:
    """Train what a YAML file describes."""
    config = _configuration(path, seed)
    part = fold or config.data.held_out or "0"
    folder = out or Path("runs") / config.name / part
    corpus = read_corpus(config.data)
    with _training(config) as on_progress:
        found = train_on_corpus(
            config,
            part,
            folder,
            resume=resume,
            corpus=corpus,
            device=pick_device(device),
            on_progress=on_progress,
        )
    summary = _summary(config.name, found, part, folder)
    if corpus.model:
        try:
            summary += f"use it with --model {literal(str(export(folder, corpus)))}\n"
        except GdrError as error:  # the run is finished all the same
            say(f"gdr: this run makes no model to search with: {for_command_line(error)}")
    write(summary)


def train_on_library(
    path: Path,
    root: Path,
    model: str,
    out: Path | None,
    resume: bool,
    seed: int | None,
    device: str,
) -> None:
    """Go on training a model on the user's own music; says what its captions were made of."""
    config = _configuration(path, seed)
    folder = out or Path("runs") / "library"
    with Library.open(root) as library, _training(config) as on_progress:
        found, used = train_library(
            config, library, load(model, device), folder, resume=resume, on_progress=on_progress
        )
    common = ", ".join(used.common) or "none"
    write(
        f"words from tags and folders: {used.tagged} of {used.tracks} tracks (most often: "
        f"{literal(common)}); from the model: all\n"
        + _summary(root.name or str(root), found, "a tenth", folder)
        + f"use it with --model {literal(str(folder / 'model'))}\n"
    )


def _configuration(path: Path, seed: int | None) -> RunConfig:
    torch.set_num_threads(1)
    config = RunConfig.read(path)
    if seed is None:
        return config
    return replace(config, optimiser=replace(config.optimiser, seed=seed))


def _summary(name: str, found: dict[str, Any], part: str, folder: Path) -> str:
    scores = found["validation"]
    return (
        f"{literal(name)}: {found['captions']} captions of {found['tracks']} tracks, "
        f"{found['written_captions']} written ones; {found['parameters'] / 1e6:.2f} M parameters, "
        f"{found['seconds']:.0f} s\n"
        f"held out ({literal(part)}): R@1 {scores['R@1']:.1f} %, R@10 {scores['R@10']:.1f} %, "
        f"median rank {scores['median_rank']:g}\n"
        f"model, log and curves in {literal(str(folder))}\n"
    )


@contextmanager
def _training(config: RunConfig) -> Iterator[Callable[[At], None]]:
    """A progress bar on stderr, to a terminal alone."""
    with bars() as progress:

        def on_progress(at: At) -> None:
            scores = f" · held out R@10 {at.scores['R@10']:.1f} %" if at.scores else ""
            note = f"loss {at.loss:.3f}{scores}"
            progress.show(config.name, at.step, config.optimiser.steps, note)

        yield on_progress


def show_retrieval(names: list[str], data: str, out: Path | None, seed: int) -> None:
    """The tables of `gdr eval retrieval`, printed and written."""
    with _telling() as tell:
        tables, about = retrieval(names, data=data, seed=seed, on_progress=tell)
    write(save(out or _report(names[0], "retrieval"), "retrieval", tables, about))


def show_fidelity(names: list[str], data: str, out: Path | None, seed: int) -> None:
    """The tables of `gdr eval fidelity`, printed and written."""
    with _telling() as tell:
        tables, about = fidelity(names, data=data, seed=seed, on_progress=tell)
    write(save(out or _report(names[0], "fidelity"), "fidelity", tables, about))


def show_control(
    name: str,
    library: Path,
    data: str,
    attributes: str,
    pairs: int,
    out: Path | None,
    seed: int,
) -> None:
    """The tables of `gdr eval control`, printed and written."""
    with _telling() as tell, ExitStack() as stack:
        steered: Steered
        if data or is_run(name):
            steered = stack.enter_context(of_set(name, data))
        else:
            model = load(name, "cpu")
            opened = stack.enter_context(Library.open(library))
            steered = of_library(model, opened, attributes)
        tables, about = control(steered, pairs=pairs, seed=seed, on_progress=tell)
    write(save(out or _report(name, "control"), "control", tables, about))


def _report(name: str, protocol: str) -> Path:
    """Where a report goes: into a run's folder, or one named after the protocol."""
    return Path(name) if is_run(name) else Path(protocol)


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    """Something to say what is being done with, on stderr and to a terminal alone."""
    torch.set_num_threads(1)
    with bars(Shown.NAME) as progress:
        yield progress.say
