"""Bring a library up to date with its folder: find what changed, decode, encode, keep.

A file counts as unchanged while its size and modification time are equal; its tags are read again
when its change time differs or a cue sheet next to it does. Everything else is decoded, and sound
without latents in the encoder's space is encoded. An `Engine` does so, in this process or in
several; what it reads is written here, in the order of the files, some at a time (`together`): a
track can be found half a second after its turn at the latest.

`scan` says which files count as music. What the system cannot read, a folder or a file, is
reported, its tracks are kept, and the next run tries it again. A root that is missing, or holds no
music although the library lists tracks, is refused, and a folder inside it that is suddenly empty
keeps its tracks: a disk that is not mounted must not empty a library.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from gdr_model.audio import Tags
from gdr_model.errors import DecodeError, FileUnavailable
from gdr_model.patience import answered
from gdr_model.remote.places import address_of
from gdr_model.store import lock
from gdr_model.store.disk.together import Together
from gdr_model.store.folder.at_an_address import scan
from gdr_model.store.folder.left_out import Excludes
from gdr_model.store.folder.sheets import FolderSheets
from gdr_model.store.library import Library
from gdr_model.store.plan import Job, Plan, Wanted, plan, preview_of
from gdr_model.store.records import Failure, LeftOut, Sound, Stamp, shown
from gdr_model.types import Array, AudioEncoder, Cancel, never
from gdr_model.workers.here import Here
from gdr_model.workers.tasks import Engine, Found, Outcome, Task
from gdr_model.workers.wanted import NotIn

TOGETHER = 200
"""Tracks whose tags are stored in one transaction."""


@dataclass(frozen=True)
class IngestProgress:
    """The progress of an ingest."""

    done: int
    total: int
    path: Path | None
    """The file finished last."""
    audio_s: float
    """Seconds of sound decoded so far."""
    elapsed_s: float


@dataclass(frozen=True)
class IngestSummary:
    """The outcome of an ingest. Every file counts once, in one of the first nine fields."""

    new: int = 0
    """Not searchable with this encoder before, whatever latents of others there are."""
    changed: int = 0
    """Of another size or time than before, whether the sound or only the tags changed."""
    retagged: int = 0
    """Of the same size and time, but with other tags."""
    unchanged: int = 0
    moved: int = 0
    """At a new path, with the sound of a file that is gone."""
    duplicate: int = 0
    """At a new path, with the sound of another track."""
    failed: list[Failure] = field(default_factory=list)
    skipped_failed: int = 0
    """Failed before and unchanged since."""
    unavailable: list[Failure] = field(default_factory=list)
    """Files that the system could not read just now; they are tried again next time."""
    gone: int = 0
    """Tracks whose files no longer exist, not counting moved ones."""
    away: dict[Path, int] = field(default_factory=dict)
    """Tracks whose files are not there now, by the folder that is suddenly empty. They are kept."""
    encoded: int = 0
    """Recordings that were encoded."""
    audio_s: float = 0.0
    elapsed_s: float = 0.0
    unreadable: list[Path] = field(default_factory=list)
    """Folders and files that could not be read; their tracks are kept."""
    left_out: list[LeftOut] = field(default_factory=list)
    """Files and folders that were not taken."""


def ingest(
    library: Library,
    encoder: AudioEncoder,
    *,
    on_progress: Callable[[IngestProgress], None],
    cancelled: Cancel = never,
    retry_failed: bool = False,
    reread_tags: bool = False,
    exclude: Sequence[str] = (),
    keep: Sequence[str] | None = None,
    dry_run: bool = False,
    engine: Engine | None = None,
) -> IngestSummary:
    """Bring a library, or the part of it that is seen, up to date with its folder.

    Args:
        library: what to bring up to date.
        encoder: encodes new sound, where the engine does not.
        on_progress: called after every file.
        cancelled: polled while the store is checked, by the engine, and while a sound is encoded
            here; while it blocks, work pauses.
        retry_failed: also try files that failed before and have not changed.
        reread_tags: read the tags of every track again.
        exclude: globs of what to leave out, besides those that are kept with the library.
        keep: globs to keep with the library in place of those before; None for no change.
        dry_run: decode and write nothing; `new` then counts files that might turn out to be
            moved, duplicate or unreadable, and `retagged` those whose tags would be read.
        engine: what reads the files; by default this process does.

    Raises:
        LibraryError: if the folder is missing or suddenly empty.
        StoreUnavailable: if another ingest of this library is running.
        Cancelled: when asked; everything done so far is kept.
    """
    begun = time.monotonic()
    kept = None if keep is None else tuple(keep)
    wanted = Wanted(retry_failed, reread_tags, tuple(exclude), kept)
    if dry_run:
        work = plan(library, encoder.space, wanted, cancelled)
        return _foreseen(library.root, work, begun)
    with lock.held(library.store, shown(library.root)):
        library.drop_damaged(encoder.space, cancelled)
        work = plan(library, encoder.space, wanted, cancelled)
        if kept is not None:
            library.files.put_excludes(kept)
        return _Ingest(library, encoder, work, on_progress, cancelled, begun).run(engine or Here())


def preview(root: Path, exclude: Sequence[str] = ()) -> IngestSummary:
    """What a first ingest of a folder would find, without creating a library.

    Raises:
        LibraryError: if the folder is missing or cannot be read.
    """
    begun = time.monotonic()
    return _foreseen(root, preview_of(scan(root, excludes=Excludes(exclude, root))), begun)


def _foreseen(root: Path, work: Plan, begun: float) -> IngestSummary:
    counts = Counter(job.kind for job in work.jobs)
    counts["retagged"] = len(work.retags)
    counts["gone"] = max(0, len(work.gone) - counts["moved"])
    return _summary(root, work, counts, begun)


class _Ingest:
    """One ingest that writes."""

    def __init__(
        self,
        library: Library,
        encoder: AudioEncoder,
        work: Plan,
        on_progress: Callable[[IngestProgress], None],
        cancelled: Cancel,
        begun: float,
    ) -> None:
        self._library = library
        self._encoder = encoder
        self._plan = work
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._begun = begun
        self._puts = Together(library)
        self._sheets = FolderSheets(library.root, work.found.sheets)
        self._encoded = library.encoded(encoder.space)
        self._live = Counter(
            sound.content for sounds in (work.tracks, work.away) for sound in sounds.values()
        )
        self._gone = Counter(sound.content for sound in work.gone.values())
        self._counts: Counter[str] = Counter()
        self._failed: list[Failure] = []
        self._unavailable: list[Failure] = []
        self._audio_s = 0.0
        self._done = 0

    def run(self, engine: Engine) -> IngestSummary:
        """Do the jobs in their order, so that ingesting equal folders stores equal rows."""
        work, files = self._plan, self._library.files
        if work.gone or work.gone_failures:
            files.forget([*work.gone, *work.gone_failures])
        files.put_found(work.found.left_out, sorted(work.away_counts()))
        self._report(None)
        self._retag(engine)
        self._drop_copies()
        tasks = [self._task(job.name, decode=job.sound is None) for job in work.jobs]
        try:
            for job, outcome in zip(work.jobs, self._read(engine, tasks), strict=True):
                self._keep(job, outcome)
                self._done += 1
                self._report(job.name)
        finally:
            self._puts.flush()
        sheets = work.found.sheets
        files.put_sheets({n: sheets[n] for n in sheets if not self._sheets.is_unread(n)})
        self._library.touch()
        return self._summary()

    def _drop_copies(self) -> None:
        """Remove what was fetched of files that are others now."""
        for job in self._plan.jobs if address_of(self._library.root) else ():
            with contextlib.suppress(OSError):
                self._library.path(job.name).unlink()

    def _task(self, name: bytes, *, decode: bool) -> Task:
        path = self._library.path(name)
        return Task(path, decode, address=address_of(path))

    def _read(self, engine: Engine, tasks: Sequence[Task]) -> Iterator[Outcome]:
        rate_hz = self._encoder.space.sample_rate_hz
        return engine.read(tasks, rate_hz, NotIn(self._encoded), self._polled)

    def _retag(self, engine: Engine) -> None:
        """Read the tags of tracks whose sound has not changed."""
        read: list[tuple[bytes, Stamp, Tags]] = []
        names = list(self._plan.retags)
        tasks = [self._task(name, decode=False) for name in names]
        for name, outcome in zip(names, self._read(engine, tasks), strict=True):
            try:
                tags = self._sheets.in_tags(name, outcome.result().tags)
                read.append((name, self._plan.retags[name], tags))
            except DecodeError as error:
                self._put_off(self._library.path(name), str(error))
            self._done += 1
            if len(read) == TOGETHER:
                self._counts["retagged"] += self._library.files.put_tags(read)
                read = []
                self._report(name)
        if read:
            self._counts["retagged"] += self._library.files.put_tags(read)

    def _keep(self, job: Job, outcome: Outcome) -> None:
        """Store what was found, and encode it where that was not done yet."""
        path = self._library.path(job.name)
        try:
            found = outcome.result()
            sound = job.sound or found.sound
            if sound is None:
                raise DecodeError("it holds no sound")
            kind = self._kind(job, sound.content)
            if found.sound is not None:
                self._audio_s += sound.duration_s
                self._put_latents(sound, found)
        except FileUnavailable as error:
            self._put_off(path, str(error))
        except MemoryError:
            self._put_off(path, "there is too little memory to decode it")
        except DecodeError as error:
            reason = str(error)
            has_vanished = not address_of(path) and not answered(
                lambda: os.path.lexists(path), False
            )
            if has_vanished:  # since the scan; its disk may be gone too
                self._put_off(path, reason)
                return
            self._puts.put(partial(self._library.files.put_failure, job.name, job.stamp, reason))
            self._failed.append(Failure(path, reason, time.time()))
        else:
            try:
                tags = self._sheets.in_tags(job.name, found.tags)
            except FileUnavailable as error:  # the sound is there; the next run reads the sheet
                tags = found.tags
                self._put_off(path, str(error))
            put = partial(self._library.files.put_track, job.name, job.stamp, sound, tags)
            self._puts.put(put)
            self._live[sound.content] += 1
            self._counts[kind] += 1

    def _put_off(self, path: Path, reason: str) -> None:
        """Leave a file or its sheet for the next run; if it was a track, it stays one."""
        self._unavailable.append(Failure(path, reason, time.time()))

    def _kind(self, job: Job, content: str) -> str:
        """The field of the summary to count a file in, now that its sound is known."""
        if job.name in self._plan.tracks:
            self._live[self._plan.tracks[job.name].content] -= 1
        elif self._gone[content] > 0:
            self._gone[content] -= 1
            return "moved"
        is_copy = content in self._encoded and self._live[content] > 0
        return "duplicate" if is_copy and job.kind == "new" else job.kind

    def _put_latents(self, sound: Sound, found: Found) -> None:
        if sound.content in self._encoded:
            return
        latents = self._encoded_here(found) if found.latents is None else found.latents
        if not (np.abs(latents) < np.finfo(np.float16).max).all():
            raise DecodeError("the encoder returned NaN, infinity or numbers too large to store")
        put = partial(self._library.put_latents, sound, self._encoder.space, latents)
        self._puts.put(put, latents.nbytes)
        self._encoded.add(sound.content)
        self._counts["encoded"] += 1

    def _encoded_here(self, found: Found) -> Array:
        if found.samples is None:
            raise DecodeError("it was not encoded")
        return self._encoder.encode(found.samples, self._polled)

    def _polled(self) -> bool:
        """Whether to stop; asked several times a second, it also stores what has waited long."""
        self._puts.look()
        return self._cancelled()

    def _report(self, name: bytes | None) -> None:
        path = self._library.path(name) if name else None
        total = len(self._plan.retags) + len(self._plan.jobs)
        elapsed_s = time.monotonic() - self._begun
        self._on_progress(IngestProgress(self._done, total, path, self._audio_s, elapsed_s))

    def _summary(self) -> IngestSummary:
        work = self._plan
        self._counts["gone"] = sum(self._gone.values())
        return replace(
            _summary(self._library.root, work, self._counts, self._begun),
            failed=self._failed,
            unavailable=self._unavailable,
            audio_s=self._audio_s,
        )


def _summary(root: Path, work: Plan, counts: Counter[str], begun: float) -> IngestSummary:
    return IngestSummary(
        new=counts["new"],
        changed=counts["changed"],
        retagged=counts["retagged"],
        unchanged=work.unchanged - counts["retagged"],
        moved=counts["moved"],
        duplicate=counts["duplicate"],
        skipped_failed=work.skipped_failed,
        gone=counts["gone"],
        away={root / os.fsdecode(top): count for top, count in work.away_counts().items()},
        encoded=counts["encoded"],
        elapsed_s=time.monotonic() - begun,
        unreadable=[root / os.fsdecode(name) for name in sorted(work.found.unreadable)],
        left_out=work.found.left_out,
    )
