"""The commands that need `training`, which they import when they run and not before."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gdr_tui.cli import options as opt


class DatasetFormat(StrEnum):
    """Forms of a dataset that can be extracted."""

    AUTO = "auto"
    SONGDESCRIBER = "songdescriber"
    MUSICCAPS = "musiccaps"
    CSV = "csv"
    JSONL = "jsonl"
    FOLDER = "folder"


class Attributes(StrEnum):
    """Who says what a track of a library has."""

    TAGS = "tags"
    TEACHER = "teacher"


def register(app: typer.Typer) -> None:
    """Add the commands to `gdr`."""
    app.command()(extract)
    app.command()(train)
    evaluations = typer.Typer(
        no_args_is_help=True, help="Measure models beside their baselines, with intervals."
    )
    evaluations.command("retrieval")(eval_retrieval)
    evaluations.command("fidelity")(eval_fidelity)
    evaluations.command("control")(eval_control)
    app.add_typer(evaluations, name="eval")


def extract(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="A table of captions, or a folder of music.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the arrays.")],
    audio: Annotated[
        Path | None,
        typer.Option(
            help="Folder that file names are relative to. Default: where DATASET lies.",
            show_default=False,
        ),
    ] = None,
    model: opt.ModelOption = "builtin",
    device: opt.DeviceOption = opt.Device.AUTO,
    form: Annotated[
        DatasetFormat, typer.Option("--format", "-f", help="Form of DATASET.")
    ] = DatasetFormat.AUTO,
    limit: Annotated[
        int | None, typer.Option(min=1, help="The first N tracks only.", show_default=False)
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Files decoded at once.")] = 2,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a dataset with rows that cannot be used.")
    ] = False,
) -> None:
    """Encode a dataset of captioned music, to train on or evaluate with; may be interrupted."""
    from gdr_tui.cli.commands.extract import extract_dataset

    if not extract_dataset(dataset, out, audio, model, device, form.value, limit, jobs, strict):
        raise typer.Exit(1)


def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG.yaml", help="What to train, and on what.")
    ],
    fold: Annotated[
        str | None,
        typer.Option(
            "--fold",
            help="The part held out: a fold's number. Default: as CONFIG says, else 0.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder of the run. Default: runs/NAME/FOLD.", show_default=False
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was interrupted.")
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Default: as CONFIG says.", show_default=False),
    ] = None,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            "-L",
            help="Learn from an indexed folder instead: words from tags, folders and the model.",
            show_default=False,
        ),
    ] = None,
    model: opt.ModelOption = "builtin",
    device: opt.DeviceOption = opt.Device.AUTO,
) -> None:
    """Train a retriever; leaves model, log, curves and metrics in a folder."""
    from gdr_tui.cli.commands.training_runs import train_on_library, train_run

    if library is not None:
        train_on_library(config, library, model, out, resume, seed, device)
    else:
        train_run(config, fold, out, resume, seed, device)


def eval_retrieval(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of gdr train.")],
    data: Annotated[
        str, typer.Option(help="Another set than the run's own.", show_default=False)
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder of the report. Default: the first RUN.", show_default=False
        ),
    ] = None,
    seed: opt.Seed = 0,
) -> None:
    """Ask every held-out caption of the whole gallery: gdr, its fusions, its baselines.

    Runs with other folds ask other captions, which are counted together; runs with the same fold
    and other seeds answer together.
    """
    from gdr_tui.cli.commands.training_runs import show_retrieval

    show_retrieval(runs, data, out, seed)


def eval_fidelity(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders of gdr train.")],
    data: Annotated[
        str, typer.Option(help="Another set than the run's own.", show_default=False)
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder of the report. Default: the first RUN.", show_default=False
        ),
    ] = None,
    seed: opt.Seed = 0,
) -> None:
    """Compare what is drawn with real music: distances, diversity, coverage, motion."""
    from gdr_tui.cli.commands.training_runs import show_fidelity

    show_fidelity(runs, data, out, seed)


def eval_control(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            help="A run on arrays with class names. Default: a model and a library.",
            show_default=False,
        ),
    ] = None,
    library: Annotated[
        Path,
        typer.Option("--library", "-L", help="An indexed folder whose tracks have tags."),
    ] = Path(),
    model: opt.ModelOption = "builtin",
    attributes: Annotated[
        Attributes,
        typer.Option(help="What a track has: its tags and folders, or what the teacher hears."),
    ] = Attributes.TAGS,
    pairs: Annotated[int, typer.Option(min=2, help="Pairs, edits and sliders tried.")] = 24,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the report.")] = Path(
        "control"
    ),
    seed: opt.Seed = 0,
) -> None:
    """Measure negatives, edits and sliders beside score subtraction and prompt arithmetic."""
    from gdr_tui.cli.commands.training_runs import show_control

    show_control(run, library, model, attributes.value, pairs, out, seed)
