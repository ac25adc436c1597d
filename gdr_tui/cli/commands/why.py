"""`gdr why`: where a file stands in a search, and what pushes it there, as plain lines."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gdr_model.types import Hit, Near, Push, Steering, WeightedText, Why
from gdr_tui.cli import options as opt
from gdr_tui.cli.output import as_json, write
from gdr_tui.safe_text import clock, literal


def register(app: typer.Typer) -> None:
    """Add the command to `gdr`."""
    app.command("why")(why)


def why(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A track of the library.", readable=False)
    ],
    prompt: Annotated[list[str], typer.Argument(metavar="PROMPT...", help="What was asked.")],
    nots: opt.Nots = None,
    like: opt.Likes = None,
    unlike: opt.Unlikes = None,
    pull: opt.Pull = 0.0,
    slides: opt.Slides = None,
    where: opt.Where = None,
    guidance: opt.Guidance = 3.0,
    steps: opt.Steps = 12,
    draws: opt.Draws = 8,
    seed: opt.Seed = 0,
    sampler: opt.Sampler = "ddim",
    interval: opt.Interval = (0.0, 1.0),
    method: Annotated[str, typer.Option(help="gdr, or contrastive to compare.")] = "gdr",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    library: opt.Libraries = None,
    model: opt.Model = "builtin",
    device: opt.Device = "auto",
) -> None:
    """Say why a track is where it is: what each word, like and dislike adds to its score."""
    (path,) = opt.existing([file])
    steering = Steering(
        prompt=" ".join(prompt),
        negatives=tuple(WeightedText.parse(n) for n in nots or ()),
        likes=opt.existing(like),
        dislikes=opt.existing(unlike),
        pull=pull,
        sliders=tuple(opt.slider(s) for s in slides or ()),
        guidance=guidance,
        steps=steps,
        draws=draws,
        seed=seed,
        sampler=sampler,
        interval=interval,
    )
    from gdr_model.search.lexicon import Lexicon
    from gdr_model.search.why import explain, place
    from gdr_tui.cli.main import open_retriever

    with ExitStack() as stack:
        retriever = open_retriever(stack, library, model, device)
        retriever.model.require(method)
        query = retriever.query(steering, method)
        hit, rank, competing = place(retriever, query, Path(path), where)
        shared = retriever.model.retrieving or retriever.model.config.pair.shared
        lexicon = Lexicon.read(retriever.model) if shared else None
        found = explain(retriever, query, hit, lexicon)
    if json:
        whole = {"path": path, "rank": rank, "tracks_searched": competing, "start_s": hit.start_s}
        write(as_json(whole | asdict(found), indent=2) + "\n")
    else:
        write(told(found, hit, rank, competing))


def told(why: Why, hit: Hit, rank: int, competing: int) -> str:
    """The whole answer in lines that can be read out."""
    lines = [
        f"{literal(hit.track.name)}",
        f"rank {rank:,} of {competing:,}, score {why.score:+.3f}, "
        f"passage {clock(hit.start_s)} to {clock(hit.end_s)}",
        *map(_pushed, why.pushes),
        *(f"the {name} is near {_near(near)}" for name, near in
          (("track", why.track_words), ("query", why.query_words)) if near),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _pushed(push: Push) -> str:
    what = f"{push.kind} {literal(push.text)}" if push.text else "no words at all"
    return f"{push.total:+.3f} {what} (draws {push.drawn:+.3f}, tower {push.tower:+.3f})"


def _near(near: Near) -> str:
    return ", ".join(f"{word} {cosine:.2f}" for word, cosine in near)
