"""`gdr bench` alone: encoding, drawing and searching in one run, so that the figures compare."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING

import typer

from gdr_model.steering import Edit, Steering
from gdr_model.types import Method
from gdr_tui.cli.commands.bench.figures import row, seconds
from gdr_tui.cli.commands.bench.index import compare
from gdr_tui.cli.options import RetrieverOptions
from gdr_tui.cli.retrievers import open_retriever

if TYPE_CHECKING:
    from gdr_model.search.retriever import Retriever

SOUND_S = 300
REPEATS = 7


def bench(context: typer.Context, backend: RetrieverOptions) -> None:
    """Measure encoding, drawing and searching on this machine and library.

    A subcommand measures one part of that in more detail.
    """
    if context.invoked_subcommand:
        return
    with ExitStack() as stack:
        measure(open_retriever(stack, backend))


def measure(retriever: Retriever, sound_s: int = SOUND_S, repeats: int = REPEATS) -> None:
    """Print the time of encoding, drawing and searching, each next to what it compares with.

    Args:
        retriever: what is measured.
        sound_s: length of the sound that is encoded.
        repeats: runs of each action, whose median counts.
    """
    import numpy as np

    model = retriever.model
    noise = np.random.default_rng(0).standard_normal(sound_s * model.space.sample_rate_hz)
    sound = (0.1 * noise).astype(np.float32)
    spent = seconds(lambda: model.encoder.encode(sound), min(3, repeats))
    row("encode, one thread", f"{sound_s / spent:,.0f} ×", "real time, decoding not counted")
    plain = Steering("warm piano")

    def draw(**changes: int) -> float:
        return seconds(lambda: retriever.query(plain.but(**changes)), repeats)

    base = draw()
    row(f"draw, {plain.draws} draws of {plain.steps} steps", f"{1e3 * base:.0f} ms")
    row("  one draw", f"{1e3 * draw(draws=1):.0f} ms", f"{draw(draws=1) / base:.2f} of that")
    row("  twice the steps", f"{1e3 * draw(steps=2 * plain.steps):.0f} ms")
    if retriever.count():
        row("  edit, inversion and draws", f"{1e3 * _edit(retriever, repeats):.0f} ms")
    contrastive = seconds(lambda: retriever.query(plain, Method.CONTRASTIVE), repeats)
    row("  contrastive query", f"{1e3 * contrastive:.1f} ms", f"{contrastive / base:.3f} of that")
    answer = seconds(lambda: retriever.search(plain), repeats)
    row("search, words to results", f"{1e3 * answer:.0f} ms", f"{retriever.count():,} tracks")
    vectors = retriever.query(plain).vectors
    for opened in retriever.libraries:
        compare(opened.library, retriever, vectors)


def _edit(retriever: Retriever, repeats: int) -> float:
    """Seconds of an edit, with its inversion: under other words each time, so it is new."""
    track = next(track for opened in retriever.libraries for track in opened.library.first(1))
    texts = count()

    def edit() -> None:
        source = Edit(str(track.path), from_prompt=f"piano {next(texts)}")
        retriever.query(Steering("warm piano", edit=source))

    return seconds(edit, repeats)
