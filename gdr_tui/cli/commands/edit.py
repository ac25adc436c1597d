"""`gdr edit`: results for a track drawn again under other words."""

from __future__ import annotations

from typing import Annotated

import typer

from gdr_model.steering import Edit
from gdr_model.types import Method
from gdr_tui.cli.answers import Request, answer
from gdr_tui.cli.options import (
    K,
    KeepWords,
    ListOptions,
    OutputOptions,
    RetrieverOptions,
    SteeringOptions,
    Where,
    existing_file,
)
from gdr_tui.cli.questions import Reader


def edit(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", parser=existing_file, help="The track to start from."),
    ],
    prompt: Annotated[
        list[str], typer.Argument(metavar="PROMPT", help="How the result should sound.")
    ],
    steering: SteeringOptions,
    listing: ListOptions,
    output: OutputOptions,
    backend: RetrieverOptions,
    from_prompt: Annotated[
        str, typer.Option("--from", metavar="TEXT", help="Words that describe the track as it is.")
    ] = Edit.from_prompt,
    strength: Annotated[
        float,
        typer.Option(
            help="How far to go: near 0 stays at the track, 1 goes all the way to what is drawn."
        ),
    ] = Edit.strength,
    start: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Where the passage begins. Default: the passage nearest to the prompt.",
        ),
    ] = Edit.start_s,
    where: Where = None,
    keep_words: KeepWords = False,
    k: K = 20,
) -> None:
    """Start from a track: invert its best passage and draw it again under other words."""
    source = Edit(file, start, strength, from_prompt)
    question = Reader(steering, where, keep_words, listing.limits).question(
        " ".join(prompt), source
    )
    answer(Request([question], k, Method.GDR, listing, backend, output))
