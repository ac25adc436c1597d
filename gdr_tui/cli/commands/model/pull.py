"""`gdr model pull`: a bar on stderr while it runs, the folder on stdout at the end."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from gdr_model.models.download import Arriving, pull
from gdr_tui.cli.output import write
from gdr_tui.safe_text import literal


def pull_weights(name: str) -> None:
    """Fetch weights and print the folder they are in."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, disable=not sys.stderr.isatty(), transient=True
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(at: Arriving) -> None:
            if at.file not in tasks:
                tasks[at.file] = bar.add_task(literal(at.file), total=at.total)
            bar.update(tasks[at.file], completed=at.done)

        folder = pull(name, tell)
    write(f"{literal(str(folder))}\n")
