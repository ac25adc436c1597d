"""`gdr extract`: progress on stderr while it runs, the summary on stdout at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.output import write
from gdr_tui.safe_text import literal
from training.data import Dataset, read
from training.data.extract import Progress as At
from training.data.extract import Summary, extract

SHOWN = 20
"""Failures and unusable rows listed; the manifest has all of them."""


def extract_dataset(
    path: Path,
    out: Path,
    audio: Path | None,
    model: str,
    device: str,
    form: str,
    limit: int | None,
    jobs: int,
    strict: bool,
) -> bool:
    """Extract a dataset; False if none of its tracks could be encoded."""
    dataset = read(path, audio or path.absolute().parent, form, strict=strict)
    if limit is not None:
        dataset = dataset.first(limit)

    # After the dataset was read: importing torch takes longer than finding a fault in a table.
    from gdr_model.models.checkpoint import load

    loaded = load(model, device)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True
    ) as bar:
        tasks = {
            stage: bar.add_task(stage, total=None, rate="", visible=False)
            for stage in ("captions", "tracks")
        }

        def on_progress(at: At) -> None:
            rate = at.audio_s / at.elapsed_s if at.elapsed_s else 0.0
            shown = f"{rate:,.0f} × real time" if at.stage == "tracks" else ""
            bar.update(tasks[at.stage], completed=at.done, total=at.total, rate=shown, visible=True)

        summary = extract(
            dataset,
            loaded.encoder,
            loaded.text,
            out,
            model=loaded.config.spelled,
            jobs=jobs,
            on_progress=on_progress,
        )
    write(summary_text(dataset, out, summary))
    if not summary.tracks:
        say(f"gdr: nothing of {path} could be encoded")
        return False
    return True


def summary_text(dataset: Dataset, out: Path, summary: Summary) -> str:
    """The summary of an extraction, a line a fact."""
    rate = summary.audio_s / summary.elapsed_s if summary.elapsed_s else 0.0
    lines = [
        f"{literal(dataset.name)}: {summary.tracks} tracks and {summary.captions} captions "
        f"in {literal(str(out))}",
        f"{summary.encoded} encoded, {summary.tracks - summary.encoded} kept from before; "
        f"{summary.audio_s / 60:.1f} min of sound in {summary.elapsed_s:.1f} s "
        f"({rate:,.0f} × real time)",
        *_listed("failed", [f"{failed.path}: {failed.reason}" for failed in summary.failed]),
        *_listed("not used", [str(problem) for problem in dataset.problems]),
    ]
    return "\n".join(lines) + "\n"


def _listed(what: str, entries: list[str]) -> Iterable[str]:
    yield from (f"{what}: {literal(entry)}" for entry in entries[:SHOWN])
    if len(entries) > SHOWN:
        yield f"{what}: {len(entries) - SHOWN} more, all listed in manifest.json"
