"""`gdr search`: results for one prompt, or for each line of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gdr_model.types import Method
from gdr_tui.cli.answers import Request, answer
from gdr_tui.cli.options import (
    K,
    KeepWords,
    ListOptions,
    MethodOption,
    OutputOptions,
    RetrieverOptions,
    SteeringOptions,
    Where,
)
from gdr_tui.cli.questions import Reader, prompts


def search(
    steering: SteeringOptions,
    listing: ListOptions,
    output: OutputOptions,
    backend: RetrieverOptions,
    prompt: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROMPT",
            help='The music to find, in words and signs: "piano -drums genre:jazz".',
            show_default=False,
        ),
    ] = None,
    prompts_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Answer each line of this file but comments (#); - reads stdin.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    where: Where = None,
    keep_words: KeepWords = False,
    k: K = 20,
    method: MethodOption = Method.GDR,
) -> None:
    """Find music by words, or like a file: gdr search "warm piano" --not vocals."""
    reader = Reader(steering, where, keep_words, listing.limits)
    questions = reader.questions(prompts(prompt, prompts_file, steering.likes or ()))
    answer(Request(questions, k, method, listing, backend, output))
