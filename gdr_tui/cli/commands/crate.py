"""`gdr crate`: the crates that the app fills, from the command line."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gdr_model.errors import LibraryError, UsageError
from gdr_model.notebook.crates import Crates, CrateTrack
from gdr_model.notebook.database import Notebook
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.options import Print0, existing_file
from gdr_tui.cli.output import tsv_line, write, write_paths0
from gdr_tui.rows import as_json
from gdr_tui.safe_text import clock, literal


class CrateFormat(StrEnum):
    """Forms of a crate on stdout."""

    TABLE = "table"
    JSONL = "jsonl"
    TSV = "tsv"
    PATHS = "paths"


Name = Annotated[str, typer.Argument(metavar="CRATE", help="The crate's name.")]
Files = Annotated[
    list[Path], typer.Argument(metavar="FILE", help="Tracks, by their paths.", readable=False)
]


def register(app: typer.Typer) -> None:
    """Add the commands to `gdr`."""
    crate = typer.Typer(
        no_args_is_help=True, help="Named lists of tracks, gathered across queries."
    )
    crate.command("list")(list_crates)
    crate.command("show")(show)
    crate.command("add")(add)
    crate.command("remove")(remove)
    crate.command("rename")(rename)
    crate.command("export")(export)
    app.add_typer(crate, name="crate")


def list_crates() -> None:
    """List the crates: name, tracks, playing time; marks in the app go to the one with a star."""
    with Notebook.open() as notebook:
        crates = Crates(notebook)
        chosen, found = crates.chosen(), crates.all()
    for crate in found:
        star = "*" if crate.name == chosen else " "
        write(f"{star} {literal(crate.name)}\t{crate.count}\t{clock(crate.duration_s)}\n")
    if not found:
        say("there is no crate yet; gdr crate add CRATE FILE makes one, as does m in the app")


def show(
    name: Name,
    form: Annotated[
        CrateFormat, typer.Option("--format", "-f", help="Form of the list.")
    ] = CrateFormat.TABLE,
    print0: Print0 = False,
) -> None:
    """Print the tracks of a crate, in its order."""
    with Notebook.open() as notebook:
        tracks = Crates(notebook).tracks(name)
    if print0:
        write_paths0(track.path for track in tracks)
        return
    from gdr_tui.rows import crate_row

    rows = [crate_row(number, track) for number, track in enumerate(tracks, 1)]
    match form:
        case CrateFormat.TABLE:
            for number, track in enumerate(tracks, 1):
                by = f" · {literal(track.artist)}" if track.artist else ""
                gone = "" if track.path.exists() else "   (gone from disk)"
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


def add(name: Name, files: Files) -> None:
    """Put files at the end of a crate, which is made if there is none of this name."""
    paths = [Path(existing_file(str(file))) for file in files]
    with Notebook.open() as notebook:
        crates = Crates(notebook)
        if name.strip() not in {crate.name for crate in crates.all()}:
            crates.make(name)
        added = crates.add(name.strip(), map(_described, paths))
    there = len(paths) - added
    say(f"{added} added to {name.strip()}" + (f", {there} were in it already" if there else ""))


def remove(
    name: Name,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Tracks, by their paths.", readable=False),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Take the crate itself away; no file is touched.")
    ] = False,
) -> None:
    """Take tracks out of a crate, or the whole crate away."""
    if whole == bool(files):
        raise UsageError("name the files to take out, or give --whole to take the crate away")
    with Notebook.open() as notebook:
        crates = Crates(notebook)
        if whole:
            crates.delete(name)
            say(f"the crate {name} is gone")
            return
        paths = [Path(os.path.abspath(file)) for file in files or ()]
        removed = crates.remove(name, paths)
    say(f"{removed} taken out of {name}")
    if removed < len(paths):
        raise LibraryError(f"{len(paths) - removed} of these files were not in {name}")


def rename(name: Name, to: Annotated[str, typer.Argument(metavar="NEW")]) -> None:
    """Call a crate something else."""
    with Notebook.open() as notebook:
        Crates(notebook).rename(name, to)


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
        bool, typer.Option("--relative", help="Paths as seen from where TARGET lies.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
) -> None:
    """Write a crate for players, tables, programs, rekordbox or a file manager."""
    from gdr_tui.export import AlreadyThere, of_crate, write_list

    with Notebook.open() as notebook:
        tracks = Crates(notebook).tracks(name)
    try:
        say(write_list(target, of_crate(name, tracks), replace=replace, relative=relative))
    except AlreadyThere:
        raise UsageError(f"{target} exists; add --replace to replace it") from None


def _described(path: Path) -> CrateTrack:
    """What the libraries know of a file; its name alone where none holds it."""
    from gdr_model.store.library import Library
    from gdr_model.store.stores import stores

    for root in stores().roots:
        if path.is_relative_to(root):
            with Library.open(root) as library:
                track = library.track(path)
            if track:
                return CrateTrack(
                    path, track.title, track.artist, track.album, track.genre, track.duration_s
                )
    return CrateTrack(path)
