"""`gdr index`: progress on stderr while it runs, the summary on stdout at the end."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from gdr_model.errors import LibraryError
from gdr_model.models.config import ModelConfig
from gdr_model.paths import store_of
from gdr_model.search.index import HnswIndex
from gdr_model.store import ingest
from gdr_model.store.library import Library
from gdr_model.types import Array, AudioEncoder, Cancel, LatentSpace, never
from gdr_tui.cli import options
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.output import write
from gdr_tui.safe_text import literal


def index_folders(
    folders: list[Path], model: str, device: str, dry_run: bool, retry_failed: bool, jobs: int
) -> bool:
    """Index each folder; False if one of them holds nothing that can be searched."""
    config = ModelConfig.read(model)
    encoder = LoadedOnUse(config, device)
    well = True
    for folder in folders:
        try:
            root = options.folder(folder)
            if dry_run and not store_of(root).exists():
                write(summary_text(root, ingest.preview(root), 0, dry_run))
            else:
                well &= _index(root, config, encoder, dry_run, retry_failed, jobs)
        except LibraryError as error:
            # The other folders are no worse for it.
            say(f"gdr: {error}")
            well = False
    return well


class LoadedOnUse:
    """An audio encoder whose weights wait for the first sound that has to be encoded.

    Importing torch takes longer than finding out that nothing in a folder has changed.
    """

    def __init__(self, config: ModelConfig, device: str) -> None:
        self._config, self._device = config, device
        self._encoder: AudioEncoder | None = None

    @property
    def space(self) -> LatentSpace:
        """The space of the latents."""
        return self._config.space

    def encode(self, samples: Array, cancelled: Cancel = never) -> Array:
        """Samples (N,) to latents (T, D)."""
        if self._encoder is None:
            from gdr_model.models.checkpoint import load

            self._encoder = load(self._config.spelled, self._device).encoder
        return self._encoder.encode(samples, cancelled)


def _index(
    folder: Path,
    config: ModelConfig,
    encoder: LoadedOnUse,
    dry_run: bool,
    retry_failed: bool,
    jobs: int,
) -> bool:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Library.open(folder, create=True) as library:
        with Progress(
            *columns, console=console, disable=not sys.stderr.isatty(), transient=True
        ) as bar:
            task = bar.add_task(literal(folder.name or str(folder)), total=None, rate="")

            def on_progress(at: ingest.Progress) -> None:
                rate = at.audio_s / at.elapsed_s if at.elapsed_s else 0.0
                bar.update(task, completed=at.done, total=at.total, rate=f"{rate:,.0f} × real time")

            summary = ingest.ingest(
                library,
                encoder,
                on_progress=on_progress,
                retry_failed=retry_failed,
                dry_run=dry_run,
                jobs=jobs,
            )
        if not dry_run:
            HnswIndex.open(library, config.space, config.whitening())
        write(summary_text(folder, summary, library.count(), dry_run))
        if not library.count() and not dry_run:
            say(f"gdr: {folder} holds no music that gdr can read")
            return False
    return True


def summary_text(folder: Path, summary: ingest.Summary, tracks: int, dry_run: bool) -> str:
    """The summary of a run, a line a fact."""
    counts = {
        "new": summary.new,
        "changed": summary.changed,
        "unchanged": summary.unchanged,
        "moved": summary.moved,
        "duplicate": summary.duplicate,
        "gone": summary.gone,
        "failed": len(summary.failed),
        "failed before, not tried again": summary.skipped_failed,
    }
    told = ", ".join(
        f"{n} {what}" for what, n in counts.items() if n or what in ("new", "unchanged")
    )
    lines = [f"{literal(str(folder))}: {'would be ' if dry_run else ''}{told}"]
    if not dry_run:
        rate = summary.audio_s / summary.elapsed_s if summary.elapsed_s else 0.0
        lines.append(
            f"{tracks} tracks; {summary.encoded} encoded, {summary.audio_s / 60:.1f} min of sound "
            f"in {summary.elapsed_s:.1f} s ({rate:,.0f} × real time)"
        )
    lines += [f"failed: {literal(str(f.path))}: {literal(f.reason)}" for f in summary.failed]
    lines += [f"unreadable: {literal(str(f))}" for f in summary.unreadable]
    return "\n".join(lines) + "\n"
