"""The commands that need `training`, which they import when they run and not before."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gdr_tui import options as opt


class DatasetFormat(StrEnum):
    """Forms of a dataset that can be extracted."""

    AUTO = "auto"
    SONGDESCRIBER = "songdescriber"
    MUSICCAPS = "musiccaps"
    CSV = "csv"
    JSONL = "jsonl"
    FOLDER = "folder"


def register(app: typer.Typer) -> None:
    """Add the commands to `gdr`."""
    app.command()(extract)


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
    model: opt.Model = "builtin",
    device: opt.Device = "auto",
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
    from gdr_tui.extracting import extract_dataset

    if not extract_dataset(dataset, out, audio, model, device, form.value, limit, jobs, strict):
        raise typer.Exit(1)
