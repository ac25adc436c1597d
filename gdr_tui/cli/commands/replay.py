"""`gdr replay`: answer the queries of a saved trail again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gdr_model.types import Results
from gdr_tui.cli.answers import print_answers
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.options import ListOptions, OutputOptions, RetrieverOptions
from gdr_tui.cli.retrievers import open_retriever

if TYPE_CHECKING:
    from gdr_model.notebook.saved_trails import SavedTrail
    from gdr_model.search.retriever import Retriever


def replay(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A trail saved with e in the app's trail.", readable=False
        ),
    ],
    listing: ListOptions,
    output: OutputOptions,
    backend: RetrieverOptions,
    numbers: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="N", help="Only the queries of these numbers. Default: all, in order."
        ),
    ] = None,
    k: Annotated[
        int | None,
        typer.Option(
            "-k",
            metavar="N",
            help="Number of results. Default: as many as the trail listed.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Answer the queries of a saved trail again, and report what has changed since."""
    from gdr_model.notebook.saved_trails import SavedTrail

    output.check()
    saved = SavedTrail.read(file)
    saved.chosen(numbers or [])  # refused before anything is loaded
    folders = backend.library or [Path(library.root) for library in saved.libraries]
    with ExitStack() as stack:
        retriever = open_retriever(stack, replace(backend, library=folders))
        answers = answer_again(saved, retriever, numbers or [], k, listing)
    print_answers(answers, output)


def answer_again(
    saved: SavedTrail,
    retriever: Retriever,
    numbers: Sequence[int],
    k: int | None,
    listing: ListOptions,
) -> list[Results]:
    """The answers to the queries of these numbers, in order; to all if none is given.

    Whatever may make the answers differ from the saved ones is reported on stderr.

    Raises:
        UsageError: naming a number that the trail does not have.
    """
    from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint

    queries = saved.chosen(numbers)
    model = ModelPrint.of(retriever.model.config)
    libraries = [LibraryPrint.of(opened.library) for opened in retriever.libraries]
    for difference in saved.differences(model, libraries):
        say(f"gdr: {difference}, so results may differ")
    count = saved.k if k is None else k
    return [
        retriever.search(
            query.steering,
            count,
            query.where or None,
            limits=listing.limits or query.limits,
            every_file=listing.every_file,
        )
        for query in queries
    ]
