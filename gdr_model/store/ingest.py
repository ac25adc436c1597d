"""Bring a library up to date with its folder: find what changed, decode, encode, keep.

A file counts as unchanged while its size and modification time are equal. Everything else is
decoded, and sound without latents in the encoder's space is encoded. Decoding runs ahead in
threads (the libraries release Python's lock), encoding runs in the calling thread, and every
track is committed when it is done: it can be found at once, and stopping loses at most one.

`scan` says which files count as music. A folder that cannot be read is reported and its tracks
are kept. A root that is missing, or holds no music although the library lists tracks, is
refused: a disk that is not mounted must not empty a library.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gdr_model.audio import Tags, decode, read_tags
from gdr_model.errors import Cancelled, DecodeError, LibraryError
from gdr_model.store import lock
from gdr_model.store.library import Library
from gdr_model.store.records import Failure, Sound, Stamp, shown
from gdr_model.store.scan import scan
from gdr_model.types import Audio, AudioEncoder, Cancel, LatentSpace, never

AHEAD = 2 * 3600 * 16_000
"""Samples decoded ahead, at most, by the files' headers: 460 MB, two hours at 16 kHz."""

SILENCE_DB = -120.0
"""The loudness stored for digital silence, 30 dB below the smallest step of 16 bits."""


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
    """The outcome of an ingest. Every file counts once, in one of the first seven fields."""

    new: int = 0
    """Not searchable with this encoder before, whatever latents of others there are."""
    changed: int = 0
    """Of another size or time than before, whether the sound or only the tags changed."""
    unchanged: int = 0
    moved: int = 0
    """At a new path, with the sound of a file that is gone."""
    duplicate: int = 0
    """At a new path, with the sound of another track."""
    failed: list[Failure] = field(default_factory=list)
    skipped_failed: int = 0
    """Failed before and unchanged since."""
    gone: int = 0
    """Tracks whose files no longer exist, not counting moved ones."""
    encoded: int = 0
    """Recordings that were encoded."""
    audio_s: float = 0.0
    elapsed_s: float = 0.0
    unreadable: list[Path] = field(default_factory=list)
    """Folders and files that could not be read; their tracks are kept."""


class _Job(NamedTuple):
    """A file to ingest."""

    kind: str
    """The field of `IngestSummary` to count it in, judging by its name and time alone."""
    name: bytes
    stamp: Stamp
    sound: Sound | None = None
    """Set if it is known without decoding; then only the tags are read."""


class _Decoded(NamedTuple):
    """The sound of a job's file."""

    sound: Sound
    audio: Audio | None
    """None if the sound was known without decoding."""


@dataclass(frozen=True)
class _Plan:
    """The work to do, judging by names, sizes and times alone."""

    jobs: list[_Job]
    gone: dict[bytes, Sound]
    """Tracks whose files no longer exist."""
    gone_failures: list[bytes]
    tracks: dict[bytes, Sound]
    """Tracks whose files exist."""
    unchanged: int
    skipped_failed: int
    unreadable: list[Path]


def ingest(
    library: Library,
    encoder: AudioEncoder,
    *,
    on_progress: Callable[[IngestProgress], None],
    cancelled: Cancel = never,
    retry_failed: bool = False,
    dry_run: bool = False,
    jobs: int = 2,
) -> IngestSummary:
    """Bring a library up to date with its folder.

    Args:
        library: what to bring up to date.
        encoder: encodes new sound.
        on_progress: called after every file.
        cancelled: polled between files and while encoding.
        retry_failed: also try files that failed before and have not changed.
        dry_run: decode and write nothing; `new` then counts files that might turn out to be
            moved, duplicate or unreadable.
        jobs: threads that decode.

    Raises:
        LibraryError: if the folder is missing or suddenly empty.
        StoreUnavailable: if another ingest of this library is running.
        Cancelled: when asked; everything done so far is kept.
    """
    begun = time.monotonic()
    if dry_run:
        plan = _plan(library, encoder.space, retry_failed, cancelled)
        return _summary(plan, Counter(job.kind for job in plan.jobs), [], 0.0, begun)
    with lock.held(library.store, shown(library.root)):
        library.drop_damaged(encoder.space)
        plan = _plan(library, encoder.space, retry_failed, cancelled)
        return _Ingest(library, encoder, plan, on_progress, cancelled, begun).run(max(1, jobs))


def preview(root: Path) -> IngestSummary:
    """What a first ingest of a folder would find, without creating a library.

    Raises:
        LibraryError: if the folder is missing or cannot be read.
    """
    scanned = scan(root)
    unreadable = [root / os.fsdecode(name) for name in scanned.unreadable]
    return IngestSummary(new=len(scanned.files), unreadable=unreadable)


def _plan(library: Library, space: LatentSpace, retry_failed: bool, cancelled: Cancel) -> _Plan:
    scanned = scan(library.root, cancelled)
    listed, failed = library.stamps(), library.failed_stamps()
    if listed and not scanned.files and not scanned.unreadable:
        raise LibraryError(
            f"{shown(library.root)} holds no music now, but its library lists {len(listed):,} "
            f"tracks; mount its disk, or move {shown(library.store)} away to forget them"
        )
    encoded = library.encoded(space)
    jobs: list[_Job] = []
    unchanged = skipped_failed = 0
    for name, stamp in scanned.files.items():
        before = listed.get(name)
        if before is not None and before[0] == stamp and before[1].content in encoded:
            unchanged += 1
        elif failed.get(name) == stamp and not retry_failed:
            skipped_failed += 1
        else:
            changed = before is not None and before[0] != stamp
            jobs.append(_Job("changed" if changed else "new", name, stamp))

    def is_gone(name: bytes) -> bool:
        return name not in scanned.files and not scanned.may_hide(name)

    missing = [name for name in listed if is_gone(name)]
    gone = {name: listed[name][1] for name in missing}
    return _Plan(
        _recognise_moved(jobs, listed, missing, encoded),
        gone,
        [name for name in failed if is_gone(name)],
        {name: sound for name, (_, sound) in listed.items() if name not in gone},
        unchanged,
        skipped_failed,
        [library.path(name) for name in scanned.unreadable],
    )


def _recognise_moved(
    jobs: list[_Job],
    listed: dict[bytes, tuple[Stamp, Sound]],
    missing: list[bytes],
    encoded: set[str],
) -> list[_Job]:
    """Skip decoding files that were moved under their own name, or with their folder.

    The name without its folder, the size and the time in nanoseconds must equal those of exactly
    one file that is gone, and of no other new file.
    """

    def traits(name: bytes, stamp: Stamp) -> tuple[bytes, Stamp]:
        return name.rpartition(b"/")[2], stamp

    gone = {traits(name, listed[name][0]): listed[name][1] for name in missing}
    counts = Counter(traits(name, listed[name][0]) for name in missing)
    counts.update(traits(job.name, job.stamp) for job in jobs)
    result: list[_Job] = []
    for job in jobs:
        sound = gone.get(traits(job.name, job.stamp))
        # Two: one that is gone and one that is new.
        unambiguous = counts[traits(job.name, job.stamp)] == 2 and job.name not in listed
        if sound and unambiguous and sound.content in encoded:
            job = job._replace(kind="moved", sound=sound)
        result.append(job)
    return result


class _Ingest:
    """One ingest that writes."""

    def __init__(
        self,
        library: Library,
        encoder: AudioEncoder,
        plan: _Plan,
        on_progress: Callable[[IngestProgress], None],
        cancelled: Cancel,
        begun: float,
    ) -> None:
        self._library = library
        self._encoder = encoder
        self._plan = plan
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._begun = begun
        self._stop = threading.Event()
        self._encoded = library.encoded(encoder.space)
        self._live = Counter(sound.content for sound in plan.tracks.values())
        self._gone = Counter(sound.content for sound in plan.gone.values())
        self._counts: Counter[str] = Counter()
        self._failed: list[Failure] = []
        self._audio_s = 0.0

    def run(self, threads: int) -> IngestSummary:
        """Do the jobs in their order, so that ingesting equal folders stores equal rows."""
        plan = self._plan
        if plan.gone or plan.gone_failures:
            self._library.forget([*plan.gone, *plan.gone_failures])
        self._report(0, None)
        pool = ThreadPoolExecutor(threads, "gdr-decode")
        try:
            waiting = deque(plan.jobs)
            rate_hz = self._encoder.space.sample_rate_hz
            ahead: deque[tuple[_Job, Tags, Future[_Decoded]]] = deque()
            while waiting or ahead:
                while waiting and len(ahead) <= threads and _has_room(ahead, rate_hz):
                    job = waiting.popleft()
                    tags = read_tags(self._library.path(job.name))
                    ahead.append((job, tags, pool.submit(self._decode, job)))
                    self._poll()
                job, tags, decoded = ahead[0]
                while not wait([decoded], timeout=0.1).done:
                    self._poll()
                self._keep(job, tags, decoded)
                ahead.popleft()
                self._report(len(plan.jobs) - len(waiting) - len(ahead), job)
                self._poll()
        finally:
            self._stop.set()
            pool.shutdown(cancel_futures=True)
        self._library.touch()
        return _summary(plan, self._counts, self._failed, self._audio_s, self._begun)

    def _decode(self, job: _Job) -> _Decoded:
        """Decode one file; runs in a thread of the pool."""
        if job.sound:
            return _Decoded(job.sound, None)
        path = self._library.path(job.name)
        audio = decode(path, self._encoder.space.sample_rate_hz, cancelled=self._stop.is_set)
        return _Decoded(_sound(audio), audio)

    def _keep(self, job: _Job, tags: Tags, decoded: Future[_Decoded]) -> None:
        """Encode what was decoded if necessary, and store it."""
        path = self._library.path(job.name)
        try:
            sound, audio = decoded.result()
            kind = self._kind(job, sound.content)
            if audio is not None:
                self._audio_s += audio.duration_s
                self._encode(sound, audio)
        except (DecodeError, MemoryError) as error:
            # A file that vanished since the scan has not failed: its disk may be gone too.
            if os.path.lexists(path):
                reason = str(error) or "it does not fit into memory"
                self._library.put_failure(job.name, job.stamp, reason)
                self._failed.append(Failure(path, reason, time.time()))
            return
        self._library.put_track(job.name, job.stamp, sound, tags)
        self._live[sound.content] += 1
        self._counts[kind] += 1

    def _kind(self, job: _Job, content: str) -> str:
        """The field of the summary to count a file in, now that its sound is known."""
        if job.name in self._plan.tracks:
            self._live[self._plan.tracks[job.name].content] -= 1
        elif self._gone[content] > 0:
            self._gone[content] -= 1
            return "moved"
        is_copy = content in self._encoded and self._live[content] > 0
        return "duplicate" if is_copy and job.kind == "new" else job.kind

    def _encode(self, sound: Sound, audio: Audio) -> None:
        if sound.content in self._encoded:
            return
        latents = self._encoder.encode(audio.samples, self._cancelled)
        if not (np.abs(latents) < np.finfo(np.float16).max).all():
            raise DecodeError("the encoder returned NaN, infinity or numbers too large to store")
        self._library.put_latents(sound, self._encoder.space, latents)
        self._encoded.add(sound.content)
        self._counts["encoded"] += 1

    def _poll(self) -> None:
        if self._cancelled():
            raise Cancelled("stopped; what was done so far is kept")

    def _report(self, done: int, job: _Job | None) -> None:
        path = self._library.path(job.name) if job else None
        elapsed_s = time.monotonic() - self._begun
        self._on_progress(
            IngestProgress(done, len(self._plan.jobs), path, self._audio_s, elapsed_s)
        )


def _has_room(ahead: deque[tuple[_Job, Tags, Future[_Decoded]]], rate_hz: int) -> bool:
    return sum(tags.length_s for _, tags, _ in ahead) * rate_hz < AHEAD


def _sound(audio: Audio) -> Sound:
    power = float(np.dot(audio.samples, audio.samples)) / len(audio.samples)
    loudness_db = 10 * math.log10(power) if power > 0 else SILENCE_DB
    return Sound(audio.content, audio.duration_s, max(loudness_db, SILENCE_DB))


def _summary(
    plan: _Plan, counts: Counter[str], failed: list[Failure], audio_s: float, begun: float
) -> IngestSummary:
    return IngestSummary(
        new=counts["new"],
        changed=counts["changed"],
        unchanged=plan.unchanged,
        moved=counts["moved"],
        duplicate=counts["duplicate"],
        failed=failed,
        skipped_failed=plan.skipped_failed,
        gone=len(plan.gone) - counts["moved"],
        encoded=counts["encoded"],
        audio_s=audio_s,
        elapsed_s=time.monotonic() - begun,
        unreadable=plan.unreadable,
    )
