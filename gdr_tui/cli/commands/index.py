"""`gdr index`: index folders of music; the summary of each on stdout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gdr_model.errors import LibraryError
from gdr_model.types import Array, AudioEncoder, Cancel, LatentSpace, never
from gdr_tui.cli.diagnostics import Failed, say
from gdr_tui.cli.options import Device, DeviceOption, Jobs, ModelOption
from gdr_tui.cli.output import write
from gdr_tui.cli.progress import bars, rate
from gdr_tui.cli.retrievers import music_folder
from gdr_tui.next_steps import for_command_line
from gdr_tui.safe_text import literal
from gdr_tui.torch_threads import use_one_thread

if TYPE_CHECKING:
    from gdr_model.models.config import ModelConfig
    from gdr_model.store.ingest import IngestProgress, IngestSummary


def index(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR", help="Folders of music.", readable=False)
    ],
    model: ModelOption = "builtin",
    device: DeviceOption = Device.AUTO,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done without doing it.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try files again that failed before.")
    ] = False,
    jobs: Jobs = 2,
) -> None:
    """Index music folders. Incremental: unchanged files are skipped."""
    from gdr_model.models.config import ModelConfig

    config = ModelConfig.read(model)
    indexing = Indexing(config, LoadedOnUse(config, device), dry_run, retry_failed, jobs)
    succeeded = True
    for folder in folders:
        try:
            succeeded &= indexing.run(music_folder(folder))
        except LibraryError as error:
            # The other folders can still be indexed.
            say(f"gdr: {for_command_line(error)}")
            succeeded = False
    if not succeeded:
        raise Failed(1)


class LoadedOnUse:
    """An audio encoder whose weights are loaded for the first sound that has to be encoded.

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

            use_one_thread()
            self._encoder = load(self._config.argument, self._device).encoder
        return self._encoder.encode(samples, cancelled)


@dataclass(frozen=True)
class Indexing:
    """How the folders of one command are indexed."""

    config: ModelConfig
    encoder: LoadedOnUse
    dry_run: bool
    retry_failed: bool
    jobs: int

    def run(self, root: Path) -> bool:
        """Index a folder and print its summary; False if it holds nothing that can be searched."""
        from gdr_model.paths import store_of
        from gdr_model.search.index import HnswIndex
        from gdr_model.store import ingest
        from gdr_model.store.library import Library

        if self.dry_run and not store_of(root).exists():
            write(summary_text(root, ingest.preview(root), 0, self.dry_run))
            return True
        name = root.name or str(root)
        with Library.open(root, create=True) as library:
            with bars() as progress:

                def on_progress(at: IngestProgress) -> None:
                    progress.show(name, at.done, at.total, rate(at.audio_s, at.elapsed_s))

                summary = ingest.ingest(
                    library,
                    self.encoder,
                    on_progress=on_progress,
                    retry_failed=self.retry_failed,
                    dry_run=self.dry_run,
                    jobs=self.jobs,
                )
            if not self.dry_run:
                HnswIndex.open(library, self.config.space, self.config.whitening())
            write(summary_text(root, summary, library.count(), self.dry_run))
            if not library.count() and not self.dry_run:
                say(f"gdr: {root} holds no music that gdr can read")
                return False
        return True


def summary_text(folder: Path, summary: IngestSummary, tracks: int, dry_run: bool) -> str:
    """The summary of a run, one fact per line."""
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
    counted = ", ".join(
        f"{n} {what}" for what, n in counts.items() if n or what in ("new", "unchanged")
    )
    lines = [f"{literal(str(folder))}: {'would be ' if dry_run else ''}{counted}"]
    if not dry_run:
        lines.append(
            f"{tracks} tracks; {summary.encoded} encoded, {summary.audio_s / 60:.1f} min of sound "
            f"in {summary.elapsed_s:.1f} s ({rate(summary.audio_s, summary.elapsed_s)})"
        )
    lines += [f"failed: {literal(str(f.path))}: {literal(f.reason)}" for f in summary.failed]
    lines += [f"unreadable: {literal(str(f))}" for f in summary.unreadable]
    return "\n".join(lines) + "\n"
