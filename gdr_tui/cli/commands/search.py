"""`gdr search`: results for one prompt, or for each line of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gdr_model.types import Method
from gdr_tui.cli.answers import Request, answer
from gdr_tui.cli.options import (
    K,
    MethodOption,
    OutputOptions,
    RetrieverOptions,
    SteeringOptions,
    Where,
    prompts,
)


def search(
    steering: SteeringOptions,
    output: OutputOptions,
    backend: RetrieverOptions,
    prompt: Annotated[
        list[str] | None,
        typer.Argument(metavar="PROMPT", help="The music to find, in words.", show_default=False),
    ] = None,
    prompts_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Answer each line of this file; - reads stdin.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    where: Where = None,
    k: K = 20,
    method: MethodOption = Method.GDR,
) -> None:
    """Find music by words: gdr search "warm piano" --not vocals."""
    steerings = [steering.steering(text) for text in prompts(prompt, prompts_file)]
    answer(Request(steerings, k, where, method, backend, output))
