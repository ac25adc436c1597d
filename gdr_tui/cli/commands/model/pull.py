"""`gdr model pull`: fetch weights; the folder they are in on stdout."""

from __future__ import annotations

from typing import Annotated

import typer

from gdr_tui.cli.output import write
from gdr_tui.cli.progress import Shown, bars
from gdr_tui.safe_text import literal


def pull(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="clap, laion, musicnn, flan-t5-base, or OWNER/NAME of the hub."
        ),
    ],
) -> None:
    """Fetch weights from the Hugging Face hub, resuming interrupted downloads, or through pip."""
    from gdr_model.models import download

    with bars(Shown.BYTES) as progress:
        folder = download.pull(name, lambda at: progress.show(at.file, at.done, at.total))
    write(f"{literal(str(folder))}\n")
