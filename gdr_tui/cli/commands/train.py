"""`gdr train`: train a retriever on a dataset or on your own library; the figures on stdout.

Of several processes started by torchrun, the first reports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gdr_model.errors import GdrError
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.options import Device, DeviceOption, ModelOption
from gdr_tui.cli.output import write
from gdr_tui.cli.progress import bars
from gdr_tui.next_steps import for_command_line
from gdr_tui.safe_text import literal
from gdr_tui.torch_threads import use_one_thread

if TYPE_CHECKING:
    from training.runs.config import RunConfig
    from training.runs.processes import Processes
    from training.runs.train import TrainingProgress


def _listed(wanted: bool) -> None:
    """Print the configurations that come with gdr."""
    if wanted:
        from training.runs.config import listed

        rows = listed()
        width = max(map(len, rows), default=0)
        write("".join(f"{name:{width}}  {sentence}\n" for name, sentence in rows.items()))
        raise typer.Exit


def train(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG",
            help="What to train: a name from --list, or a YAML file.",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="SET",
            help="Train on this set, a folder of gdr extract. Default: as CONFIG says.",
            show_default=False,
        ),
    ] = None,
    fold: Annotated[
        str | None,
        typer.Option(
            "--fold",
            metavar="FOLD",
            help="What to hold out: the number of a fold, or a split that the set names itself. "
            "Default: as CONFIG says, else 0.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Folder of the run. Default: runs/NAME/FOLD.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an interrupted run.")] = False,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Random seed. Default: as CONFIG says.", show_default=False),
    ] = None,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            "-L",
            metavar="DIR",
            help="Train on this indexed folder; captions come from tags, folders and the model.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = "builtin",
    device: DeviceOption = Device.AUTO,
    _: Annotated[
        bool,
        typer.Option(
            "--list",
            help="List the configurations that come with gdr, and exit.",
            is_eager=True,
            callback=_listed,
            show_default=False,
        ),
    ] = False,
) -> None:
    """Train a retriever. The run's folder gets the model, a log, curves and metrics."""
    from gdr_model.models.checkpoint import pick_device
    from training.runs.config import RunConfig
    from training.runs.processes import joined

    use_one_thread()
    run = RunConfig.read(config)
    if seed is not None:
        run = replace(run, optimiser=replace(run.optimiser, seed=seed))
    if data is not None:
        run = replace(run, data=replace(run.data, path=str(data)))
    if fold is not None and not fold.isdigit():
        run = replace(run, data=replace(run.data, held_out=fold))
    with joined(pick_device(device)) as among:
        if library is not None:
            summary = _on_library(run, library, model, out, resume, device, among)
        else:
            summary = _on_dataset(run, fold, out, resume, device, among)
    write(summary)


def _on_dataset(
    config: RunConfig,
    fold: str | None,
    out: Path | None,
    resume: bool,
    device: str,
    among: Processes,
) -> str:
    """Train on an extracted dataset and return the summary, empty but for the first process."""
    from gdr_model.models.checkpoint import pick_device
    from training.data.corpus import read_corpus
    from training.retrievers.export import export
    from training.runs.corpus_run import train_on_corpus

    held_out = fold or config.data.held_out or "0"
    folder = out or Path("runs") / config.name / held_out
    corpus = read_corpus(config.data)
    with _progress(config, among) as on_progress:
        figures = train_on_corpus(
            config,
            held_out,
            folder,
            resume=resume,
            corpus=corpus,
            device=pick_device(device),
            among=among,
            on_progress=on_progress,
        )
    if not among.first:
        return ""
    summary = _summary(config.name, figures, held_out, folder)
    if corpus.model:
        try:
            model = export(folder, corpus, device=pick_device(device))
            summary += f"use it with --model {literal(str(model))}\n"
        except GdrError as error:  # the run is finished all the same
            say(f"gdr: this run makes no model to search with: {for_command_line(error)}")
    return summary


def _on_library(
    config: RunConfig,
    root: Path,
    model: str,
    out: Path | None,
    resume: bool,
    device: str,
    among: Processes,
) -> str:
    """Continue training a model on the user's own music and return the summary, as above."""
    from gdr_model.models.checkpoint import load
    from gdr_model.store.library import Library
    from training.runs.library_run import train_library

    folder = out or Path("runs") / "library"
    with Library.open(root) as library, _progress(config, among) as on_progress:
        figures, captions = train_library(
            config,
            library,
            load(model, device),
            folder,
            resume=resume,
            among=among,
            on_progress=on_progress,
        )
    if not among.first:
        return ""
    common = ", ".join(captions.common) or "none"
    return (
        f"words from tags and folders: {captions.tagged} of {captions.tracks} tracks (most often: "
        f"{literal(common)}); from the model: {captions.phrased}\n"
        + _summary(root.name or str(root), figures, "", folder)
        + f"use it with --model {literal(str(folder / 'model'))}\n"
    )


def _summary(name: str, figures: dict[str, Any], held_out: str, folder: Path) -> str:
    scores = figures["validation"]
    if figures["validation_captions"]:
        asked = f"validation, {figures['validation_captions']} captions"
    else:
        asked = f"held out ({literal(held_out)}), {figures['held_out_captions']} captions"
    lines = [
        f"{asked}: R@1 {scores['R@1']:.1f} %, R@10 {scores['R@10']:.1f} %, median rank "
        f"{scores['median_rank']:g}",
        *_repeats(figures),
    ]
    if held_out and figures["validation_captions"]:
        lines.append(
            f"held out ({literal(held_out)}): {figures['held_out_captions']} captions of "
            f"{figures['held_out_tracks']} tracks, for gdr eval retrieval"
        )
    return (
        f"{literal(name)}: {figures['captions']} captions of {figures['tracks']} tracks, "
        f"{figures['written_captions']} of them generated; "
        f"{figures['parameters'] / 1e6:.2f} M parameters, {figures['seconds']:.0f} s\n"
        + "\n".join(lines)
        + f"\nmodel, log and curves in {literal(str(folder))}\n"
    )


def _repeats(figures: dict[str, Any]) -> Iterator[str]:
    """What was done about captions and sounds that repeat."""
    if figures["tracks_kept_together"]:
        yield (
            f"{figures['tracks_kept_together']} tracks share captions or sounds with others; such "
            "tracks are always on the same side of a split"
        )
    if figures["left_out_captions"]:
        yield (
            f"{figures['left_out_captions']} captions are on both sides of the split all the same; "
            "one side leaves them out"
        )
    if figures["repeated_captions"]:
        yield (
            f"all {figures['repeated_captions']} captions were trained on too, with other tracks: "
            "the figures are those of new sounds, not of new words"
        )


@contextmanager
def _progress(config: RunConfig, among: Processes) -> Iterator[Callable[[TrainingProgress], None]]:
    if not among.first:
        yield lambda _: None
        return
    with bars() as progress:

        def on_progress(at: TrainingProgress) -> None:
            scores = f" · validation R@10 {at.scores['R@10']:.1f} %" if at.scores else ""
            note = f"loss {at.loss:.3f}{scores}"
            progress.show(config.name, at.step, config.optimiser.steps, note)

        yield on_progress
