"""`gdr duplicates`: recordings that have more than one file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from gdr_model.store.folder.presence import missing
from gdr_model.types import Track
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.options import RetrieverOptions
from gdr_tui.cli.output import AWAY, tsv_line, write, write_paths0
from gdr_tui.cli.retrievers import open_libraries, open_retriever
from gdr_tui.rows import as_json, codec
from gdr_tui.safe_text import clock, literal

_COLUMNS = "group", "match", "format", "kbps", "duration_s", "size", "path", "missing"


class Form(StrEnum):
    """How groups are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    TSV = "tsv"
    PATHS = "paths"


def duplicates(
    backend: RetrieverOptions,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DIR",
            parser=Path,
            help="Indexed music folders, as with --library.",
            show_default=False,
        ),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Only files whose decoded sound is equal.")
    ] = False,
    others: Annotated[
        bool, typer.Option("--others", help="Leave out the best file of each group.")
    ] = False,
    form: Annotated[Form, typer.Option("--format", "-f", help="Output format.")] = Form.TABLE,
    print0: Annotated[
        bool, typer.Option("--print0", help="Print only paths, each ended by NUL, for xargs -0.")
    ] = False,
) -> None:
    """List recordings that have several files, the best file first. Nothing is deleted."""
    named = [*(folders or ()), *(backend.library or ())]
    options = replace(backend, library=named or None)
    found = _equal(options) if exact else _alike(options)
    shown = [replace(group, files=group.files[1:]) for group in found] if others else found
    if print0:
        write_paths0(track.path for group in shown for track in group.files)
    else:
        _show(shown, form)
    files = sum(len(group.files) for group in found)
    spare = sum(track.size for group in found for track in group.files[1:])
    say(
        f"{len(found):,} recordings have {files:,} files; without the best of each, "
        f"{files - len(found):,} files take {spare / 1e6:,.1f} MB"
        if found
        else "every recording has one file"
    )
    if away := sum(len(group.away) for group in found):
        say(f"{away:,} of them {'is' if away == 1 else 'are'} {AWAY}")


@dataclass(frozen=True)
class Group:
    """The files of one recording, the best first."""

    number: int
    content: str
    """Of the best file."""
    files: Sequence[Track]
    away: Collection[Path] = ()
    """Files that are not there now."""

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row for each file."""
        for track in self.files:
            yield {
                "group": self.number,
                "match": "equal" if track.content == self.content else "near",
                "format": codec(track),
                "kbps": round(track.bitrate_bps / 1000),
                "duration_s": round(track.duration_s, 3),
                "size": track.size,
                "path": str(track.path),
                "missing": track.path in self.away,
            }


def _equal(options: RetrieverOptions) -> list[Group]:
    """Files of equal sound; needs no model."""
    from gdr_model.store.library import by_content

    with ExitStack() as stack:
        libraries = open_libraries(stack, options.library)
        tracks = [track for library in libraries for track in library.tracks()]
        return _numbered(by_content(tracks).values())


def _alike(options: RetrieverOptions) -> list[Group]:
    """Files of equal sound, and near copies."""
    with ExitStack() as stack:
        copies = open_retriever(stack, options).copies
        tracks = copies.tracks()
        return _numbered(
            [track for content in group for track in tracks.get(content, ())]
            for group in copies.groups()
        )


def _numbered(recordings: Iterable[Sequence[Track]]) -> list[Group]:
    """Recordings with several files, in the order of their best file's path."""
    from gdr_model.search.recordings.preference import preference

    by_path = [{track.path: track for track in tracks} for tracks in recordings]
    several = [each for each in by_path if len(each) > 1]
    absent = missing(path for each in several for path in each)
    found: list[Group] = []
    for each in several:
        # A file that is not there is never the best one: the others could be deleted.
        files = sorted(each.values(), key=lambda track: (track.path in absent, preference(track)))
        found.append(Group(0, files[0].content, files, absent & each.keys()))
    found.sort(key=lambda group: group.files[0].path)
    return [replace(group, number=number) for number, group in enumerate(found, 1)]


def _show(groups: Sequence[Group], form: Form) -> None:
    """Print groups to stdout."""
    match form:
        case Form.TABLE:
            _table(groups)
        case Form.JSON:
            write(as_json([list(group.rows()) for group in groups], indent=2) + "\n")
        case Form.JSONL:
            write("".join(as_json(row) + "\n" for group in groups for row in group.rows()))
        case Form.TSV:
            rows = [row for group in groups for row in group.rows()]
            lines = [tsv_line(row[name] for name in _COLUMNS) for row in rows]
            write(tsv_line(_COLUMNS) + "".join(lines))
        case Form.PATHS:
            write("\n".join("".join(f"{t.path}\n" for t in group.files) for group in groups))


def _table(groups: Sequence[Group]) -> None:
    """A block of lines for each group: format, bit rate, length, whether near, path."""
    for group in groups:
        lines = [
            f"{row['format']:>8} {row['kbps']:>6,} kb/s {clock(row['duration_s']):>8}  "
            f"{'≈' if row['match'] == 'near' else ' '} {literal(row['path'])}"
            f"{f'   ({AWAY})' * row['missing']}\n"
            for row in group.rows()
        ]
        write("".join(lines) + "\n")
