"""`gdr move`: say where the folder of a library is now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.retrievers import local_folder
from gdr_tui.library_words import has_moved


def move(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Where the folder was.", parser=Path)],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="Where the folder is now.", parser=Path)
    ],
) -> None:
    """Let a library, crates and trails follow a music folder that was moved or mounted elsewhere.

    Nothing is decoded again, and no music file is touched.
    """
    from gdr_model.notebook.moves import move as move_library

    say(has_moved(move_library(local_folder(old), local_folder(new))))
