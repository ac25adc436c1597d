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


Evaluated = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN|MODEL...",
        help="Folders of gdr train; with --data also models.",
        show_default=False,
    ),
]
Data = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="SET",
        help="Ask all captions of this set (a folder of gdr extract) instead of those a run holds "
        "out.",
        show_default=False,
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        help="Folder of the report. Default: the first RUN, or one named after the command.",
        show_default=False,
    ),
]


def eval_retrieval(
    names: Evaluated, data: Data = "", out: Report = None, seed: opt.Seed = 0
) -> None:
    """Search for every held-out caption, as gdr search does, and with each baseline.

    Runs that hold out different folds of a set are counted together.
    """
    from gdr_tui.cli.commands.training_runs import show_retrieval

    show_retrieval(names, data, out, seed)


def eval_fidelity(
    names: Evaluated, data: Data = "", out: Report = None, seed: opt.Seed = 0
) -> None:
    """Compare draws with real music: distances, diversity, coverage, motion."""
    from gdr_tui.cli.commands.training_runs import show_fidelity

    show_fidelity(names, data, out, seed)


def eval_control(
    name: Annotated[
        str,
        typer.Argument(metavar="RUN|MODEL", help="A folder of gdr train, or a model."),
    ] = "builtin",
    library: Annotated[
        Path,
        typer.Option("--library", "-L", help="For a model: an indexed folder of music."),
    ] = Path(),
    data: Data = "",
    attributes: Annotated[
        Attributes,
        typer.Option(
            help="What a library's track has: tags and folders, or the teacher's classes."
        ),
    ] = Attributes.TAGS,
    pairs: Annotated[int, typer.Option(min=2, help="Pairs, edits and sliders tried.")] = 24,
    out: Report = None,
    seed: opt.Seed = 0,
) -> None:
    """Measure negatives, edits and sliders against score subtraction and prompt arithmetic."""
    from gdr_tui.cli.commands.training_runs import show_control

    show_control(name, library, data, attributes.value, pairs, out, seed)
