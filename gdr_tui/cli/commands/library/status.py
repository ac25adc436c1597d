"""`gdr status`: what is indexed and left out, where it is kept, and which files failed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gdr_model.errors import Hint, LibraryError
from gdr_model.store.stores import stores
from gdr_tui.cli.diagnostics import failed_in_part
from gdr_tui.cli.output import write
from gdr_tui.cli.retrievers import local_folder, unreadable
from gdr_tui.library_words import away, explained, name, summarised
from gdr_tui.next_steps import for_command_line, step
from gdr_tui.safe_text import counted, length, literal

if TYPE_CHECKING:
    from gdr_model.store.library import Library
    from gdr_model.types import LatentSpace


def status(
    library: Annotated[
        list[Path] | None,
        typer.Option(
            "--library",
            "-L",
            metavar="DIR",
            parser=Path,
            help="Only this indexed music folder. Repeatable.",
        ),
    ] = None,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="Name every file and folder that is left out.")
    ] = False,
) -> None:
    """Show what is indexed, where it is kept, and which files failed."""
    indexed = stores()
    if not (library or indexed.roots or indexed.damaged):
        write("no library has been indexed yet; run gdr index DIR\n")
    for store in () if library else indexed.damaged:
        failed_in_part(unreadable(store))
    known: list[tuple[Path, Path | None]] = [at[:2] for at in indexed.known]
    for root, kept_in in [(root, None) for root in library] if library else known:
        try:
            write(_described(local_folder(root), kept_in, left_out))
        except LibraryError as error:
            failed_in_part(for_command_line(error))


def _described(folder: Path, store: Path | None, left_out: bool) -> str:
    """A paragraph: tracks, what is left out or not there, latents, the store, failures."""
    from gdr_model.models import kept
    from gdr_model.models.config import ModelConfig
    from gdr_model.store.library import Library

    now = ModelConfig.read().space
    sizes = {each.space: kept.size_bytes(each) for each in kept.kept() if each.space != now}
    with Library.open(folder, store=store) as library:
        files, failures = library.files, library.failures()
        sound = length(library.duration_s())
        size = sum(file.stat().st_size for file in library.store.rglob("*") if file.is_file())
        not_taken = files.left_out()
        lines = [
            literal(str(library.folder)),
            f"  {counted(library.count(), 'track')}, {sound}, {len(failures)} failed",
            *(f"  {line}" for line in _not_there(library)),
            *(f"  {line}" for line in summarised(not_taken)),
            *(f"  excluded by --exclude {literal(shlex.quote(glob))}" for glob in files.excludes),
            *(_latents(space, sizes.get(space)) for space in library.spaces()),
            f"  store: {library.store} ({size / 2**20:.1f} MiB)",
            *(f"  failed: {literal(str(f.path))}: {literal(f.reason)}" for f in failures),
            *(f"  left out: {name(o)}: {explained(o)}" for o in (not_taken if left_out else ())),
        ]
        return "\n".join(lines) + "\n"


def _latents(space: LatentSpace, kept_bytes: int | None) -> str:
    """A space, and whether its model is kept, with what that takes on the disk."""
    if kept_bytes is None:
        return f"  latents: {space}"
    size = f" ({kept_bytes / 2**20:.1f} MiB)" if kept_bytes else ""
    return f"  latents: {space}; its model is kept{size}"


def _not_there(library: Library) -> list[str]:
    """What of a library is not there now, each with what to do about it."""
    from gdr_model.store.folder.presence import is_gone

    if is_gone(library.folder):
        return [f"not there now; {step(Hint.MOUNT_OR_FORGET, root=str(library.folder))}"]
    return [
        away(library.path(top), library.files.count_within(top))
        for top in library.files.absent()
        if is_gone(library.path(top))
    ]
