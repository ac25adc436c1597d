"""`gdr crate`: list, fill, edit and export crates, the same ones that the app fills."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gdr_model.errors import LibraryError, UsageError
from gdr_model.notebook.crates import Crates, CrateTrack
from gdr_model.notebook.database import Notebook
from gdr_model.store.folder.presence import missing
from gdr_tui.cli.diagnostics import Failed, say
from gdr_tui.cli.options import Print0, existing_file
from gdr_tui.cli.output import AWAY, tsv_line, write, write_paths0
from gdr_tui.rows import as_json, crate_row
from gdr_tui.safe_text import clock, literal


class CrateFormat(StrEnum):
    """How a crate is printed."""

    TABLE = "table"
    JSONL = "jsonl"
    TSV = "tsv"
    PATHS = "paths"


group = typer.Typer(no_args_is_help=True, help="Named lists of tracks, gathered across queries.")

Name = Annotated[str, typer.Argument(metavar="CRATE", help="The crate's name.")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Paths of tracks.", parser=Path)]


@group.command("list")
def list_crates() -> None:
    """List the crates: name, tracks, duration; marks in the app go to the one with a star."""
    with Notebook.open() as notebook:
        crates = Crates(notebook)
        chosen, listed = crates.chosen(), crates.all()
    for crate in listed:
        star = "*" if crate.name == chosen else " "
        write(f"{star} {literal(crate.name)}\t{crate.count}\t{clock(crate.duration_s)}\n")
    if not listed:
        say("there is no crate yet; gdr crate add CRATE FILE makes one, as does m in the app")


@group.command()
def show(
    name: Name,
    form: Annotated[
        CrateFormat, typer.Option("--format", "-f", help="Output format.")
    ] = CrateFormat.TABLE,
    print0: Print0 = False,
) -> None:
    """Print the tracks of a crate in order."""
    with Notebook.open() as notebook:
        tracks = Crates(notebook).tracks(name)
    if print0:
        write_paths0(track.path for track in tracks)
        return
    away = missing(track.path for track in tracks)
    rows = [
        crate_row(number, track) | {"missing": track.path in away}
        for number, track in enumerate(tracks, 1)
    ]
    match form:
        case CrateFormat.TABLE:
            for number, track in enumerate(tracks, 1):
                by = f" · {literal(track.artist)}" if track.artist else ""
                gone = f"   ({AWAY})" if track.path in away else ""
                write(
                    f"{number:>3}  {clock(track.duration_s):>7}  {literal(track.name)}{by}{gone}\n"
                )
        case CrateFormat.JSONL:
            write("".join(as_json(row) + "\n" for row in rows))
        case CrateFormat.TSV:
            names = tsv_line(rows[0]) if rows else ""
            write(names + "".join(tsv_line(row.values()) for row in rows))
        case CrateFormat.PATHS:
            write("".join(f"{track.path}\n" for track in tracks))


@group.command()
def add(name: Name, files: Files) -> None:
    """Add files to the end of a crate; a new crate is made if there is none of this name."""
    paths = [Path(existing_file(str(file))) for file in files]
    tracks = [_described(path) for path in paths]
    with Notebook.open() as notebook:
        added = Crates(notebook).add(name, tracks, make=True)
    duplicates = len(paths) - added
    say(
        f"{added} added to {name.strip()}" + (f", {duplicates} already in it" if duplicates else "")
    )


@group.command()
def remove(
    name: Name,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Paths of tracks.", parser=Path),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Remove the crate itself; no file is touched.")
    ] = False,
) -> None:
    """Remove tracks from a crate, or the whole crate."""
    if whole == bool(files):
        raise UsageError("name the files to remove, or give --whole to remove the crate itself")
    with Notebook.open() as notebook:
        crates = Crates(notebook)
        if whole:
            crates.delete(name)
            say(f"removed the crate {name}")
            return
        paths = [Path(os.path.abspath(file)) for file in files or ()]
        removed = crates.remove(name, paths)
    say(f"{removed} removed from {name}")
    if removed < len(paths):
        raise LibraryError(f"{len(paths) - removed} of these files were not in {name}")


@group.command()
def rename(
    name: Name, to: Annotated[str, typer.Argument(metavar="NEW", help="The new name.")]
) -> None:
    """Rename a crate."""
    with Notebook.open() as notebook:
        Crates(notebook).rename(name, to)


@group.command()
def export(
    name: Name,
    target: Annotated[
        Path,
        typer.Argument(
            metavar="TARGET",
            help=".m3u8, .csv, .json, .xml (rekordbox), or a folder for links.",
            readable=False,
        ),
    ],
    relative: Annotated[
        bool, typer.Option("--relative", help="Write paths relative to TARGET.")
    ] = False,
    starts: Annotated[
        bool, typer.Option("--starts", help="In .m3u8, start each track at its passage (VLC).")
    ] = False,
    bom: Annotated[
        bool,
        typer.Option("--bom", help="Begin .csv with a byte order mark, as spreadsheets want it."),
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an existing TARGET.")] = False,
) -> None:
    """Export a crate as a playlist, a table, JSON, rekordbox XML or a folder of links."""
    from gdr_tui.export import AlreadyThere, Style, of_crate, why_not, write_list

    for option, given, suffix in (("--starts", starts, ".m3u8"), ("--bom", bom, ".csv")):
        if given and target.suffix.lower() != suffix:
            raise UsageError(f"{option} is for {suffix} files")
    style = Style(relative, starts, bom)
    with Notebook.open() as notebook:
        tracks = Crates(notebook).tracks(name)
    try:
        say(write_list(target, of_crate(name, tracks), replace=replace, style=style))
    except AlreadyThere:
        raise UsageError(f"{target} exists; add --replace to replace it") from None
    if tracks and all(why_not(track.path, target.suffix.lower()) for track in tracks):
        raise Failed(1)


def _described(path: Path) -> CrateTrack:
    """A file with its tags, if a library that can be read holds it."""
    from gdr_model.store.library import Library
    from gdr_model.store.stores import find

    if at := find(path.parent):
        with suppress(LibraryError), Library.open(at.root, store=at.store) as library:
            if track := library.track(path):
                return CrateTrack(
                    path, track.title, track.artist, track.album, track.genre, track.duration_s
                )
    return CrateTrack(path)
