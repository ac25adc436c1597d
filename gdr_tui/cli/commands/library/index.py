"""`gdr index`: index folders of music; the summary of each on stdout."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gdr_model.errors import IndexUnavailable, LibraryError, ModelError
from gdr_model.patience import is_folder
from gdr_model.remote.places import address_of
from gdr_model.types import Array, AudioEncoder, Cancel, LatentSpace, Samples, never
from gdr_tui.cli.diagnostics import Failed, failed_in_part, say
from gdr_tui.cli.options import (
    Device,
    DeviceOption,
    EngineOption,
    IndexOption,
    ModelOption,
    Processes,
)
from gdr_tui.cli.output import write
from gdr_tui.cli.progress import bars, rate
from gdr_tui.cli.retrievers import index_opener, music_folder
from gdr_tui.index_workers import LOCAL
from gdr_tui.library_words import away, explained, has_moved, name, summarised
from gdr_tui.next_steps import for_command_line
from gdr_tui.safe_text import counted, length, literal
from gdr_tui.torch_threads import use_threads_for

if TYPE_CHECKING:
    from gdr_model.models.config import ModelConfig
    from gdr_model.search.indexed.protocol import Opener
    from gdr_model.store.ingest import IngestProgress, IngestSummary
    from gdr_model.store.library import Library
    from gdr_model.store.records import LeftOut
    from gdr_model.workers.tasks import Engine


def index(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR", help="Folders of music, or addresses: s3://bucket/music.", parser=Path
        ),
    ],
    model: ModelOption = "builtin",
    device: DeviceOption = Device.AUTO,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done without doing it.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try files again that failed before.")
    ] = False,
    reread_tags: Annotated[
        bool, typer.Option("--reread-tags", help="Read the tags of all tracks again.")
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            metavar="GLOB",
            help="Leave out files and folders whose name or path in DIR matches, now and later. "
            "Repeatable.",
        ),
    ] = None,
    no_exclude: Annotated[
        bool, typer.Option("--no-exclude", help="Drop what --exclude left out so far.")
    ] = False,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="Name every file and folder that is left out.")
    ] = False,
    jobs: Processes = None,
    searched_by: IndexOption = None,
    engine: EngineOption = LOCAL,
) -> None:
    """Index music folders. Incremental: unchanged files are skipped."""
    from gdr_model.models import kept
    from gdr_model.models.config import ModelConfig
    from gdr_tui.app import settings
    from gdr_tui.index_workers import engine_for

    config = ModelConfig.read(model)
    chosen, problem = settings.load()
    if problem:
        say(f"gdr: {problem}")
    indexing = Indexing(
        config,
        LoadedOnUse(config, device),
        dry_run,
        retry_failed,
        reread_tags,
        tuple(exclude or ()),
        no_exclude,
        chosen.exclude,
        left_out,
        index_opener(chosen.index if searched_by is None else searched_by),
    )
    succeeded = True
    if not dry_run:
        try:
            kept.keep(config)
        except ModelError as error:  # the folders can be indexed all the same
            say(f"gdr: {error}")
    with engine_for(engine, config, device, jobs, say) as workers:
        for folder in folders:
            try:
                succeeded &= indexing.run(music_folder(folder), workers)
            except LibraryError as error:
                # The other folders can still be indexed.
                say(f"gdr: {for_command_line(error)}")
                succeeded = False
    if not dry_run:
        kept.remove_unneeded()
    if not succeeded:
        raise Failed(1)


class LoadedOnUse:
    """An audio encoder whose weights are loaded for the first sound that has to be encoded here.

    Importing torch takes longer than finding out that nothing in a folder has changed, and where
    other processes encode it is not needed here at all.
    """

    def __init__(self, config: ModelConfig, device: str) -> None:
        self._config, self._device = config, device
        self._encoder: AudioEncoder | None = None

    @property
    def space(self) -> LatentSpace:
        """The space of the latents."""
        return self._config.space

    def encode(self, samples: Samples, cancelled: Cancel = never) -> Array:
        """Samples (N,) to latents (T, D)."""
        if self._encoder is None:
            from gdr_model.models.checkpoint import load

            use_threads_for(self._config)
            self._encoder = load(self._config.argument, self._device).encoder
        return self._encoder.encode(samples, cancelled)


@dataclass(frozen=True)
class Indexing:
    """How the folders of one command are indexed."""

    config: ModelConfig
    encoder: LoadedOnUse
    dry_run: bool
    retry_failed: bool
    reread_tags: bool
    exclude: tuple[str, ...]
    """Globs to keep with the library."""
    no_exclude: bool
    """Drop the globs that are kept with it."""
    always_exclude: tuple[str, ...]
    """Globs from the settings."""
    left_out: bool
    """Name what is left out."""
    opener: Opener
    """Opens the index that is prepared."""

    def run(self, folder: Path, engine: Engine) -> bool:
        """Index a folder and print its summary; False if nothing in it can be searched."""
        from gdr_model.store import ingest
        from gdr_model.store.folder.left_out import Excludes, prefix_of, within_part
        from gdr_model.store.library import Library
        from gdr_model.store.roots.forget import drop_empty
        from gdr_model.store.stores import find

        # Refused before anything is written.
        Excludes((*self.exclude, *self.always_exclude), folder)
        moved_from = self._moved_from(folder)
        if self.dry_run and not moved_from and find(folder) is None:
            summary = ingest.preview(folder, (*self.exclude, *self.always_exclude))
            write(self._told(folder, summary, 0))
            return _has_music(folder, summary, 0)
        name = folder.name or str(folder)
        with ExitStack() as stack:
            if not moved_from and find(folder) is None:
                # Otherwise a library of nothing would be listed as the one indexed last.
                stack.callback(drop_empty, folder)
            library = stack.enter_context(Library.open(folder, create=True, store=moved_from))
            if library.part:
                say(f"{folder} is part of the library {library.root}; only this part is indexed")
            part = os.fsdecode(library.part)
            kept = library.files.excludes
            if self.no_exclude:
                kept = tuple(g for g in kept if part and not g.startswith(prefix_of(part)))
            exclude = within_part(self.exclude, part, library.root)
            with bars() as progress:

                def on_progress(at: IngestProgress) -> None:
                    progress.show(name, at.done, at.total, rate(at.audio_s, at.elapsed_s))

                summary = ingest.ingest(
                    library,
                    self.encoder,
                    on_progress=on_progress,
                    retry_failed=self.retry_failed,
                    reread_tags=self.reread_tags,
                    exclude=self.always_exclude,
                    keep=tuple(dict.fromkeys((*kept, *exclude))),
                    dry_run=self.dry_run,
                    engine=engine,
                )
            if not self.dry_run:
                self._prepare(library)
            tracks = library.count()
            write(self._told(folder, summary, tracks))
            if not self.dry_run and not is_folder(folder):
                say(f"gdr: {folder} went away while it was indexed; its tracks are kept")
                return False
            has_music = _has_music(folder, summary, tracks)
            return has_music if self.dry_run else bool(tracks) and not nothing_was_read(summary)

    def _prepare(self, library: Library) -> None:
        """Bring the index up to date; a server that cannot be reached is named."""
        index = self.opener(library, self.config.space, self.config.whitening())
        try:
            with bars() as progress:
                index.prepare(
                    lambda done, total: progress.show("index", done, total, "passages"),
                    threads=os.cpu_count() or 1,
                )
        except IndexUnavailable as error:
            failed_in_part(for_command_line(error))

    def _moved_from(self, folder: Path) -> Path | None:
        """Let a library follow that is recognised here; in a dry run, its store."""
        from gdr_model.notebook.moves import recognise, recognised

        if not self.dry_run:
            if moved := recognised(folder):
                say(has_moved(moved))
            return None
        if at := recognise(folder):
            say(f"the library of {at.root} would be recognised here and moved")
        return at.store if at else None

    def _told(self, folder: Path, summary: IngestSummary, tracks: int) -> str:
        text = summary_text(folder, summary, tracks, self.dry_run)
        names = "".join(map(left_out_line, summary.left_out)) if self.left_out else ""
        return text + names


def _has_music(folder: Path, summary: IngestSummary, tracks: int) -> bool:
    """Whether a folder has files to read or a library tracks; said where it has neither."""
    found = summary.new + summary.changed + summary.moved + summary.duplicate
    if tracks or summary.unavailable or found:
        return True
    say(f"gdr: {folder} holds no music that gdr can read")
    return False


def nothing_was_read(summary: IngestSummary) -> bool:
    """Whether every file that should have been read was out of reach."""
    return bool(summary.unavailable) and not (
        summary.new + summary.changed + summary.moved + summary.duplicate + len(summary.failed)
    )


def left_out_line(each: LeftOut) -> str:
    """One file or folder that is left out, and why."""
    return f"left out: {name(each)}: {explained(each)}\n"


def summary_text(folder: Path, summary: IngestSummary, tracks: int, dry_run: bool) -> str:
    """The summary of a run, one fact per line."""
    counts = {
        "new": summary.new,
        "changed": summary.changed,
        "with new tags" if not dry_run else "whose tags are read": summary.retagged,
        "unchanged": summary.unchanged,
        "moved": summary.moved,
        "duplicate": summary.duplicate,
        "gone": summary.gone,
        "failed": len(summary.failed),
        "failed before, not tried again (--retry-failed does)": summary.skipped_failed,
    }
    said = ", ".join(
        f"{n:,} {what}" for what, n in counts.items() if n or what in ("new", "unchanged")
    )
    lines = [
        f"{literal(address_of(folder) or str(folder))}: {'would be ' if dry_run else ''}{said}"
    ]
    if not dry_run:
        lines.append(f"{counted(tracks, 'track')}; {_encoded(summary)}")
    lines += summarised(summary.left_out)
    lines += [away(folder, count) for folder, count in summary.away.items()]
    if summary.unavailable:
        lines.append(
            f"{len(summary.unavailable)} could not be reached; they are tried again next time"
        )
    for what, files in (("not reached", summary.unavailable), ("failed", summary.failed)):
        for each in files:
            where = address_of(each.path) or str(each.path)
            lines.append(f"{what}: {literal(where)}: {literal(each.reason)}")
    lines += [f"unreadable: {literal(str(f))}" for f in summary.unreadable]
    return "\n".join(lines) + "\n"


def _encoded(summary: IngestSummary) -> str:
    if not summary.encoded:
        return "0 encoded"
    speed = rate(summary.audio_s, summary.elapsed_s)
    return (
        f"{summary.encoded:,} encoded, {length(summary.audio_s)} of sound "
        f"in {summary.elapsed_s:.1f} s ({speed})"
    )
