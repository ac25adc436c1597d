"""`gdr status`: what is indexed, where it is kept, and which files failed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gdr_model.store.stores import stores
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.output import write
from gdr_tui.cli.retrievers import unreadable
from gdr_tui.safe_text import literal


def status(
    library: Annotated[
        list[Path] | None,
        typer.Option(
            "--library",
            "-L",
            metavar="DIR",
            readable=False,
            help="Only this indexed music folder. Repeatable.",
        ),
    ] = None,
) -> None:
    """Show what is indexed, where it is kept, and which files failed."""
    indexed = stores()
    if not (library or indexed.roots or indexed.damaged):
        write("no library has been indexed yet; run gdr index DIR\n")
    for store in () if library else indexed.damaged:
        say(f"gdr: {unreadable(store)}")
    for root in library or indexed.roots:
        write(_described(root))


def _described(root: Path) -> str:
    """A paragraph: tracks, duration, latent spaces, failures, place and size of the store."""
    from gdr_model.store.library import Library

    with Library.open(root) as library:
        hours = sum(track.duration_s for track in library.tracks()) / 3600
        size = sum(file.stat().st_size for file in library.store.rglob("*") if file.is_file())
        failures = library.failures()
        lines = [
            literal(str(library.root)),
            f"  {library.count()} tracks, {hours:.1f} h, {len(failures)} failed",
            *(f"  latents: {space}" for space in library.spaces()),
            f"  store: {library.store} ({size / 2**20:.1f} MiB)",
            *(f"  failed: {literal(str(f.path))}: {literal(f.reason)}" for f in failures),
        ]
        return "\n".join(lines) + "\n"
