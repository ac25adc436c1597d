"""`gdr bench query`: from a prompt to results, on the user's own library."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from gdr_model.steering import Steering
from gdr_tui.cli.commands.bench.figures import late, middle, ms, row
from gdr_tui.cli.options import RetrieverOptions
from gdr_tui.cli.retrievers import open_retriever

if TYPE_CHECKING:
    from gdr_model.search.retriever import Retriever

PROMPTS = ("warm piano", "angry guitars", "slow strings", "dub techno", "a choir sings")
FILTER = "year >= 1990"

Repeats = Annotated[int, typer.Option(help="Prompts to answer.", min=1)]


def query(backend: RetrieverOptions, repeats: Repeats = 24) -> None:
    """Measure from prompt to results: drawing, searching, with and without a filter."""
    with ExitStack() as stack:
        measure(open_retriever(stack, backend), repeats)


def measure(retriever: Retriever, repeats: int) -> None:
    """Print the time of answering prompts that have not been asked before.

    Args:
        retriever: what is measured.
        repeats: how many prompts.
    """
    asked = [Steering(f"{PROMPTS[n % len(PROMPTS)]} {n}") for n in range(repeats)]
    retriever.search(asked[0])  # loads what only the first query needs
    answers = [retriever.search(one) for one in asked]
    _row("prompt to results", [answer.draw_s + answer.search_s for answer in answers])
    passages = sum(len(opened.index.passages.ids) for opened in retriever.libraries)
    row("  of", f"{retriever.count():,}", f"tracks, {passages:,} passages")
    _row("  drawing", [answer.draw_s for answer in answers])
    _row("  searching", [answer.search_s for answer in answers])
    filtered = [retriever.answer(answer.query, where=FILTER) for answer in answers]
    _row(f"  searching, {FILTER}", [answer.search_s for answer in filtered])


def _row(what: str, taken_s: list[float]) -> None:
    row(what, ms(middle(taken_s)), f"95 % below {ms(late(taken_s))}")
