"""`gdr model convert`: published weights as a folder that gdr reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gdr_tui.cli.diagnostics import say


def convert(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Weights as their authors publish them."),
    ],
    pair: Annotated[
        str,
        typer.Option(
            "--pair",
            metavar="PAIR",
            help="What they belong to: laion, mule, mule-port, muscall, musicnn, clap or t5.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="The new folder. Default: where gdr looks for weights of that name.",
            show_default=False,
        ),
    ] = None,
    text_heads: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Attention heads of an unusual text tower.", show_default=False
        ),
    ] = None,
) -> None:
    """Write published weights as a folder that gdr reads; pickled code is never run."""
    from gdr_model import paths
    from gdr_model.encoders.registry.converters import convert as write_folder

    folder = out or paths.models() / pair
    missing = write_folder(file, pair, folder, text_heads)
    say(f"{file} is now {folder}")
    if missing:
        say(
            "it has no tokenizer, so it reads sound and no text: put tokenizer.json and "
            f"tokenizer_config.json of {missing} there"
        )
