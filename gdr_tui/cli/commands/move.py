"""`gdr move`: say where the folder of a library is now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gdr_tui.cli.diagnostics import say

if TYPE_CHECKING:
    from gdr_model.notebook.moves import Moved


def move(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="Where the folder was.", readable=False)
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="Where the folder is now.", readable=False)
    ],
) -> None:
    """Let a library, crates and trails follow a music folder that was moved or mounted elsewhere.

    Nothing is decoded again, and no music file is touched.
    """
    from gdr_model.notebook.moves import move as move_library

    say(sentence(move_library(old, new)))


def sentence(moved: Moved) -> str:
    """What was moved."""
    crates = f"{moved.in_crates:,} track{'s' * (moved.in_crates != 1)} in crates"
    if not moved.tracks:
        return f"{moved.old} is {moved.new} now for crates and trails: {crates}"
    return (
        f"the library of {moved.old} is {moved.new} now: {moved.found:,} of its "
        f"{moved.tracks:,} tracks are there unchanged; {crates}"
    )
