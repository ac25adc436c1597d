"""`gdr bench query`: from a prompt to results, on the user's own library, by each kind of index."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from gdr_model.errors import IndexUnavailable
from gdr_model.search.milvus.address import LOCAL
from gdr_model.steering import Steering
from gdr_tui.cli.commands.bench.figures import late, middle, ms, row
from gdr_tui.cli.options import RetrieverOptions
from gdr_tui.cli.retrievers import index_named, open_retriever

if TYPE_CHECKING:
    from gdr_model.search.retriever import Retriever

PROMPTS = ("warm piano", "angry guitars", "slow strings", "dub techno", "a choir sings")
FILTER = "year >= 1990"

Repeats = Annotated[int, typer.Option(help="Prompts to answer.", min=1)]


def query(backend: RetrieverOptions, repeats: Repeats = 24) -> None:
    """Measure from prompt to results: drawing, searching, with and without a filter.

    With --index, or the setting index, the same is measured there and on this machine.
    """
    from gdr_model.search.indexed.choice import opener
    from gdr_model.search.retriever import Retriever

    named = index_named(backend.index)
    elsewhere = None if named == LOCAL else opener(named, _refuse)
    with ExitStack() as stack:
        here = open_retriever(stack, replace(backend, index=LOCAL))
        retrievers = {LOCAL: here}
        if elsewhere:
            libraries = [opened.library for opened in here.libraries]
            kind = named.partition(":")[0]
            retrievers[kind] = Retriever(here.model, libraries, opener=elsewhere)
        passages = sum(len(opened.index.passages.ids) for opened in here.libraries)
        row("searched", f"{here.count():,}", f"tracks, {passages:,} passages")
        for number, (name, retriever) in enumerate(retrievers.items()):
            measure(retriever, repeats, name, first=number * repeats)


def _refuse(why: IndexUnavailable) -> None:
    """Measure nothing that this machine answers in the place of a server."""
    raise why


def measure(retriever: Retriever, repeats: int, name: str, first: int) -> None:
    """Print the time of answering prompts that have not been asked before.

    Args:
        retriever: what is measured.
        repeats: how many prompts.
        name: of its index.
        first: the number of the first prompt; no two of one model are alike.
    """
    asked = [Steering(f"{PROMPTS[n % len(PROMPTS)]} {n}") for n in range(first, first + repeats)]
    retriever.search(asked[0])  # loads what only the first query needs
    answers = [retriever.search(one) for one in asked]
    _row(f"prompt to results, {name}", [answer.draw_s + answer.search_s for answer in answers])
    _row("  drawing", [answer.draw_s for answer in answers])
    _row("  searching", [answer.search_s for answer in answers])
    filtered = [retriever.answer(answer.query, where=FILTER) for answer in answers]
    _row(f"  searching, {FILTER}", [answer.search_s for answer in filtered])


def _row(what: str, taken_s: list[float]) -> None:
    row(what, ms(middle(taken_s)), f"95 % below {ms(late(taken_s))}")
