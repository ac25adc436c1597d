"""`gdr forget`: forget tracks that are not there now, or a library whose folder is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.retrievers import local_folder
from gdr_tui.safe_text import counted


def forget(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR", help="A music folder that is gone, or a folder in one.", parser=Path
        ),
    ],
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Forget the library of DIR although the folder is there."),
    ] = False,
) -> None:
    """Forget tracks that are not there now. No music file is touched; crates and trails are kept.

    A library whose folder is gone is removed whole.
    """
    from gdr_model.store.roots.forget import forget as forget_folder

    for folder in folders:
        done = forget_folder(local_folder(folder.expanduser()), whole=whole)
        tracks = counted(done.tracks, "track")
        if done.size is not None:
            say(
                f"removed the library of {done.root}: {tracks}, {done.size / 2**20:.1f} MiB; "
                "crates and trails are kept as they are"
            )
        else:
            failed = f" and {done.failures:,} that had failed" if done.failures else ""
            say(f"forgot {tracks}{failed} in {folder}")
        if done.unreachable:
            say(f"{done.unreachable:,} could not be reached and are kept")
