"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gdr_model.errors import LibraryError, UsageError
from gdr_model.store.stores import stores
from gdr_model.types import Slider
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.output import Format

Libraries = Annotated[
    list[Path] | None,
    typer.Option(
        "--library",
        "-L",
        readable=False,  # click's own check would print a usage box
        help="Folder to search; may be given several times. Default: the last one indexed.",
        show_default=False,
    ),
]
Model = Annotated[str, typer.Option("--model", "-m", help="A pair of gdr model list, or a folder.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
Nots = Annotated[
    list[str] | None,
    typer.Option(
        "--not", help="Push away from these words; TEXT or TEXT:WEIGHT.", show_default=False
    ),
]
Likes = Annotated[
    list[Path] | None,
    typer.Option("--like", help="Pull towards this file.", show_default=False, readable=False),
]
Unlikes = Annotated[
    list[Path] | None,
    typer.Option(
        "--unlike",
        help="Leave this file out, and push away from it.",
        show_default=False,
        readable=False,
    ),
]
Slides = Annotated[
    list[str] | None,
    typer.Option(
        "--slide",
        help="Move along these words, TEXT:AMOUNT with an amount from -1 to 1.",
        show_default=False,
    ),
]
Pull = Annotated[
    float, typer.Option(help="How hard --like and --unlike act while drawing, 0 to 1.")
]
Sampler = Annotated[str, typer.Option(help="ddim, dpm++, or consistency for a distilled model.")]
Interval = Annotated[
    tuple[float, float],
    typer.Option(
        metavar="START END",
        help="Steer only in this part of each draw, from 0 (noise) to 1 (the result).",
    ),
]
Where = Annotated[
    str | None,
    typer.Option(help="Filter, as in 'genre = jazz and duration_s < 240'.", show_default=False),
]
K = Annotated[int, typer.Option("-k", help="How many tracks.")]
KOfSearch = Annotated[
    int | None,
    typer.Option(
        "-k",
        help="How many tracks. Default: 20, or as many as the session listed.",
        show_default=False,
    ),
]
SessionFile = Annotated[
    Path | None,
    typer.Option(
        "--session",
        help="Answer the queries of a session file again, in order (e in the app's trail).",
        show_default=False,
        readable=False,
    ),
]
QueryNumbers = Annotated[
    list[int] | None,
    typer.Option(
        "--query", help="Only this one of the session; may be given again.", show_default=False
    ),
]
Guidance = Annotated[float, typer.Option(help="How hard the draws follow the words, 0 to 20.")]
Steps = Annotated[int, typer.Option(help="Steps of the sampler.")]
Draws = Annotated[int, typer.Option(help="Points drawn, searched and fused.")]
Seed = Annotated[int, typer.Option(help="Another seed is another reading of the same words.")]
Form = Annotated[Format, typer.Option("--format", "-f", help="Form of the answer.")]
Print0 = Annotated[bool, typer.Option("--print0", help="Paths ended by NUL, for xargs -0.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")]


def slider(text: str) -> Slider:
    """`acoustic:0.5`.

    Raises:
        UsageError: if no number follows the last colon.
    """
    words, _, amount = text.rpartition(":")
    try:
        return Slider(words.strip(), float(amount))
    except ValueError:
        raise UsageError(
            f'the slider "{text}" has no amount; write it as in --slide "acoustic:0.5"'
        ) from None


def existing(paths: list[Path] | None) -> tuple[str, ...]:
    """Absolute paths of files named on the command line.

    Raises:
        UsageError: naming the first that is not there.
    """
    for path in paths or ():
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
    return tuple(str(path.absolute()) for path in paths or ())


def prompts(words: list[str] | None, file: Path | None) -> list[str]:
    """The prompts to answer: the words given, or one a line of a file (`-` for stdin).

    Raises:
        UsageError: if both or neither are given, or the file cannot be read or has none.
    """
    if words and file is not None:
        raise UsageError("give a prompt or --prompts-file, not both")
    if file is None:
        if not words:
            raise UsageError('give a prompt, as in gdr search "warm piano"')
        return [" ".join(words)]
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read as a list of prompts: {error}") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise UsageError(f"{file} holds no prompt; write one a line")
    return lines


def roots(libraries: list[Path] | None) -> list[Path]:
    """The folders to search: those named, else the one indexed last, else none.

    Raises:
        LibraryError: if the only libraries there are cannot be read.
    """
    if libraries:
        return libraries
    known = stores()
    if known.damaged and not known.roots:
        raise LibraryError(unreadable(known.damaged[0]))
    if len(known.roots) > 1:
        say(f"searching {known.roots[0]}, the library indexed last (--library chooses another)")
    return known.roots[:1]


def unreadable(store: Path) -> str:
    """What to do about a store that is damaged."""
    return f"the library in {store} cannot be read; move it away and index its folder again"


def folder(path: Path) -> Path:
    """A library's folder; `~` may still stand for the user's own, as after `make LIBRARY=~/x`.

    Raises:
        LibraryError: if it is not there.
    """
    try:
        found = path.expanduser().is_dir()
    except (OSError, RuntimeError):  # a forbidden folder above it, an unknown user
        found = False
    if not found:
        raise LibraryError(f"there is no folder {path}")
    return path.expanduser()
