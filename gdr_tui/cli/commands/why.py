"""`gdr why`: a track's rank in a search and what moves it there, in plain lines."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gdr_model.evidence import Judgement
from gdr_model.explanation import Near, Push, Why
from gdr_model.types import Hit, Method
from gdr_tui.cli.options import (
    KeepWords,
    MethodOption,
    RetrieverOptions,
    SteeringOptions,
    Where,
    existing_file,
)
from gdr_tui.cli.output import write
from gdr_tui.cli.questions import Reader
from gdr_tui.cli.retrievers import open_retriever
from gdr_tui.rows import as_json
from gdr_tui.safe_text import clock, literal


def why(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", parser=existing_file, help="A track of the library."),
    ],
    steering: SteeringOptions,
    backend: RetrieverOptions,
    prompt: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROMPT",
            help="The prompt to explain; not needed with --like.",
            show_default=False,
        ),
    ] = None,
    where: Where = None,
    keep_words: KeepWords = False,
    method: MethodOption = Method.GDR,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Explain a track's rank: what each word, like and dislike adds to its score."""
    asked = Reader(steering, where, keep_words).question(" ".join(prompt or ()))

    from gdr_model.search.lexicon import Lexicon
    from gdr_model.search.why import explain, place

    with ExitStack() as stack:
        retriever = open_retriever(stack, backend)
        model = retriever.model
        if asked.steering.worded:
            model.require(method)
        query = retriever.after_lists(retriever.query(asked.steering, method), asked.where)
        hit, rank, competing = place(retriever, query, Path(file), asked.where)
        lexicon = Lexicon.read(model) if model.networks or model.config.pair.shared else None
        explained = explain(retriever, query, hit, lexicon)
    if json:
        facts = {"path": file, "rank": rank, "tracks_searched": competing, "start_s": hit.start_s}
        write(as_json(facts | asdict(explained), indent=2) + "\n")
    else:
        write(in_words(explained, hit, rank, competing))


def in_words(why: Why, hit: Hit, rank: int, competing: int) -> str:
    """The whole answer in lines that can be read aloud."""
    lines = [
        literal(hit.name),
        f"rank {rank:,} of {competing:,}, score {why.score:+.3f}, "
        f"passage {clock(hit.start_s)} to {clock(hit.end_s)}",
        *(_push(push, by=any(push.drawn for push in why.pushes)) for push in why.pushes),
        *(f"the {name} is near {_near(near)}" for name, near in
          (("track", why.track_words), ("query", why.query_words)) if near),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _push(push: Push, *, by: bool) -> str:
    """What a part of the query adds; with `by`, through the draws and through the tower."""
    if push.kind == "shown":
        return f"{push.done:+.3f} because lists before showed it"
    if push.kind == "common":
        return f"{push.total:+.3f} because it is near to words in general"
    if push.done:
        return f"{push.done:+.3f} because you {_done(push)}"
    what = f"{push.kind} {literal(push.text)}" if push.text else "no words at all"
    parts = f" (draws {push.drawn:+.3f}, tower {push.tower:+.3f})" if by else ""
    return f"{push.total:+.3f} {what}{parts}"


def _done(push: Push) -> str:
    """What was done in the session, with whose result."""
    name = literal(Path(push.text).name)
    if push.kind == Judgement.PREFERRED:
        return f"preferred {name} to {push.over} other{'s' * (push.over != 1)}"
    return f"heard {name} to its end" if push.kind == Judgement.HEARD else f"passed over {name}"


def _near(near: Near) -> str:
    return ", ".join(f"{word} {cosine:.2f}" for word, cosine in near)
