"""`gdr extract`: progress on stderr while it runs, the summary on stdout at the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.output import write
from gdr_tui.cli.progress import bars, rate
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
    with bars() as progress:

        def on_progress(at: At) -> None:
            note = rate(at.audio_s, at.elapsed_s) if at.stage == "tracks" else ""
            progress.show(at.stage, at.done, at.total, note)

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
