"""`gdr extract`: encode a dataset of captioned music; the summary on stdout."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gdr_tui.cli.diagnostics import Failed, say
from gdr_tui.cli.options import Device, DeviceOption, Jobs, ModelOption
from gdr_tui.cli.output import write
from gdr_tui.cli.progress import bars, rate
from gdr_tui.safe_text import literal
from gdr_tui.torch_threads import use_threads_for

if TYPE_CHECKING:
    from training.data import Dataset
    from training.data.extract import ExtractionProgress, ExtractionSummary

SHOWN = 20
"""Failures and unusable rows listed; the manifest has all of them."""


class DatasetFormat(StrEnum):
    """Forms of a dataset that can be extracted."""

    AUTO = "auto"
    SONGDESCRIBER = "songdescriber"
    MUSICCAPS = "musiccaps"
    CSV = "csv"
    JSONL = "jsonl"
    FOLDER = "folder"


def extract(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="A table of captions, or a folder of music.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Folder for the extracted arrays.")
    ],
    audio: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder that file names are relative to. Default: the one DATASET is in.",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = "builtin",
    device: DeviceOption = Device.AUTO,
    form: Annotated[
        DatasetFormat, typer.Option("--format", "-f", help="Format of DATASET.")
    ] = DatasetFormat.AUTO,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Only the first N tracks.", show_default=False),
    ] = None,
    jobs: Jobs = 2,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a dataset with unusable rows.")
    ] = False,
) -> None:
    """Encode a dataset of captioned music, to train on or to evaluate with.

    Safe to interrupt: run it again to continue.
    """
    from training.data import read
    from training.data.extract import extract as extract_to

    captioned = read(dataset, audio or dataset.absolute().parent, form, strict=strict)
    if limit is not None:
        captioned = captioned.first(limit)

    # After reading the dataset: importing torch takes longer than finding a fault in a table.
    from gdr_model.models.checkpoint import load

    loaded = load(model, device)
    use_threads_for(loaded.config)
    with bars() as progress:

        def on_progress(at: ExtractionProgress) -> None:
            note = rate(at.audio_s, at.elapsed_s) if at.stage == "tracks" else ""
            progress.show(at.stage, at.done, at.total, note)

        summary = extract_to(
            captioned,
            loaded.encoder,
            loaded.text,
            out,
            model=loaded.config.argument,
            text_encoder=loaded.config.text.name,
            jobs=jobs,
            on_progress=on_progress,
        )
    write(summary_text(captioned, out, summary))
    if not summary.tracks:
        say(f"gdr: no track in {dataset} could be encoded")
        raise Failed(1)


def summary_text(dataset: Dataset, out: Path, summary: ExtractionSummary) -> str:
    """The summary of an extraction, one fact per line."""
    lines = [
        f"{literal(dataset.name)}: {summary.tracks} tracks and {summary.captions} captions "
        f"in {literal(str(out))}",
        f"{summary.encoded} encoded, {summary.tracks - summary.encoded} kept from before; "
        f"{summary.audio_s / 60:.1f} min of sound in {summary.elapsed_s:.1f} s "
        f"({rate(summary.audio_s, summary.elapsed_s)})",
        *_listed("failed", [f"{failed.path}: {failed.reason}" for failed in summary.failed]),
        *_listed("not used", [str(problem) for problem in dataset.problems]),
    ]
    return "\n".join(lines) + "\n"


def _listed(what: str, entries: list[str]) -> Iterable[str]:
    yield from (f"{what}: {literal(entry)}" for entry in entries[:SHOWN])
    if len(entries) > SHOWN:
        yield f"{what}: {len(entries) - SHOWN} more, all listed in manifest.json"
