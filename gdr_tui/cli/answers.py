"""Running queries and printing their results, for every command that lists any."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gdr_model.errors import Hint
from gdr_model.steering import Steering
from gdr_model.store.folder.presence import missing
from gdr_model.types import Method, Results
from gdr_tui.cli.diagnostics import Failed, say
from gdr_tui.cli.options import ListOptions, OutputOptions, RetrieverOptions
from gdr_tui.cli.output import AWAY, Format, show, show_paths0
from gdr_tui.cli.questions import Question
from gdr_tui.cli.retrievers import answered, open_retriever
from gdr_tui.next_steps import step
from gdr_tui.rows import fits_playlist

if TYPE_CHECKING:
    from gdr_model.search.retriever import Retriever


@dataclass(frozen=True)
class Request:
    """Queries, the libraries and model that answer them, and how the results are printed."""

    questions: Sequence[Question]
    k: int
    method: Method
    listing: ListOptions
    backend: RetrieverOptions
    output: OutputOptions


def answer(request: Request) -> None:
    """Answer each question and print the results.

    Raises:
        UsageError: if an option of the output does not go with its format.
    """
    from gdr_model.search.understanding import notes
    from gdr_tui.language.understood import sentence

    request.output.check()
    with ExitStack() as stack:
        retriever = open_retriever(stack, request.backend)
        model = retriever.model
        steerings = [asked.steering for asked in request.questions]
        if any(steering.worded for steering in steerings):
            model.require(request.method)
        said = [text for steering in steerings for text in _texts(steering)]
        if said:
            model.text.embed(said[:1])  # loads before the clock starts
        answers = answered(retriever, lambda asked_of: _searched(request, asked_of))
        noted = [notes(model.understanding, model.text, results) for results in answers]
    print_answers(answers, request.output)
    for note in dict.fromkeys(note for of_one in noted for note in of_one):
        say(f"gdr: {sentence(note)}")
    if model.config.bare and said:
        say(
            f"{request.backend.model} has no retriever of its own, so words were looked up in the "
            f"space it shares with sound; {step(Hint.TRAIN, model=model.config.argument)}"
        )


def _searched(request: Request, retriever: Retriever) -> list[Results]:
    """The results of every question."""
    return [
        retriever.search(
            asked.steering,
            request.k,
            asked.where,
            request.method,
            limits=asked.limits,
            every_file=request.listing.every_file,
        )
        for asked in request.questions
    ]


def _texts(steering: Steering) -> list[str]:
    """The words that a text encoder reads for a query."""
    texts = [n.text for n in steering.negatives] + [s.text for s in steering.sliders]
    return [steering.prompt, *texts] if steering.worded else texts


def print_answers(answers: Sequence[Results], output: OutputOptions) -> None:
    """Print results, and for a table or on --verbose how they came about, on stderr.

    Raises:
        Failed: if there are results, but a playlist can hold none of them.
    """
    away = missing(hit.track.path for results in answers for hit in results.hits)
    if output.print0:
        show_paths0(answers)
    else:
        show(answers, output.form, away, starts=output.starts)
    if away:
        files = "1 file" if len(away) == 1 else f"{len(away):,} files"
        left_out = ", so not in the playlist" if output.form is Format.M3U8 else ""
        say(f"{files} of these results {'is' if len(away) == 1 else 'are'} {AWAY}{left_out}")
    if output.form is Format.M3U8 and not output.print0:
        _count_unnamed(answers)
    if output.verbose or output.form is Format.TABLE:
        for results in answers:
            _explain(results, output.verbose)
    paths = [hit.track.path for results in answers for hit in results.hits]
    is_playlist = output.form is Format.M3U8 and not output.print0
    if is_playlist and paths and all(p in away or not fits_playlist(str(p)) for p in paths):
        raise Failed(1)


def _count_unnamed(answers: Sequence[Results]) -> None:
    """Say how many results no playlist can name."""
    hits = [hit for results in answers for hit in results.hits]
    if left_out := sum(not fits_playlist(str(hit.track.path)) for hit in hits):
        tracks = "1 track" if left_out == 1 else f"{left_out} tracks"
        say(f"{tracks} left out of the playlist: a line break in the name")


def _explain(results: Results, verbose: bool) -> None:
    query, steering = results.query, results.query.steering
    words = f"{len(results.hits)} of {results.tracks_searched} tracks"
    if query.method == Method.GDR and steering.worded:
        if steering.spread:
            words += f" · spread {steering.spread:g} · roll {steering.roll}"
        words += f" · seed {steering.seed} · {steering.draws} draws agree {results.agreement:.2f}"
    say(f"{words} · {1000 * (results.draw_s + results.search_s):.0f} ms")
    if verbose and query.round_trip is not None:
        say(
            f"inverted {steering.edit.path if steering.edit else ''} from "
            f"{query.source_start_s:.0f} s; round-trip error (1 - cosine) {query.round_trip:.2e}"
        )
