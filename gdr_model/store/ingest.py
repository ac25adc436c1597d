"""From a folder to a library: find what changed, decode, encode, keep.

A file is taken as unchanged while its size and modification time are; anything else is decoded,
and only sound that has no latents in the encoder's space yet is encoded. Decoding runs ahead in
threads (the libraries release Python's lock), encoding in the calling thread, and every track
is committed as it is done: it can be found at once, and stopping loses at most one.

What is left out: hidden files and folders, folders with a `.notmusic` file in them, files whose
suffix is not that of music. A folder that cannot be read is reported and its tracks are kept.
A root that is missing, or holds no music although the library lists tracks, is refused: a disk
that is not mounted must not empty a library.
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
"""At most so many samples (by the files' headers) wait decoded: 460 MB, two hours at 16 kHz."""

SILENCE_DB = -120.0
"""The loudness of digital silence, which has none: below the step of 16 bits by 30 dB."""


@dataclass(frozen=True)
class Progress:
    """How far an ingest is."""

    done: int
    total: int
    path: Path | None
    """The file done last."""
    audio_s: float
    """Seconds of sound decoded so far."""
    elapsed_s: float


@dataclass(frozen=True)
class Summary:
    """What an ingest found and did. Every file found counts once, in one of the first seven."""

    new: int = 0
    """Not searchable with this encoder before; another encoder's latents do not count."""
    changed: int = 0
    """Another size or time than before, be it the sound or only the tags."""
    unchanged: int = 0
    moved: int = 0
    """At a new path, with the sound of a path that is gone."""
    duplicate: int = 0
    """At a new path, with the sound of another track."""
    failed: list[Failure] = field(default_factory=list)
    skipped_failed: int = 0
    """Failed before and unchanged since."""
    gone: int = 0
    """Tracks whose files are nowhere any more; moved ones are not among them."""
    encoded: int = 0
    """Sounds that were encoded."""
    audio_s: float = 0.0
    elapsed_s: float = 0.0
    unreadable: list[Path] = field(default_factory=list)
    """Folders and files that could not be looked at; their tracks are kept."""


class _Job(NamedTuple):
    kind: str
    """The field of `Summary` that it counts in, as far as names and times tell."""
    name: bytes
    stamp: Stamp
    sound: Sound | None = None
    """Known without decoding; only the tags are read."""


@dataclass(frozen=True)
class _Plan:
    """What is to be done, from the names, sizes and times alone."""

    jobs: list[_Job]
    gone: dict[bytes, Sound]
    """Tracks whose files are gone."""
    gone_failures: list[bytes]
    tracks: dict[bytes, Sound]
    """Tracks whose files are there."""
    unchanged: int
    skipped_failed: int
    unreadable: list[Path]


def ingest(
    library: Library,
    encoder: AudioEncoder,
    *,
    on_progress: Callable[[Progress], None],
    cancelled: Cancel = never,
    retry_failed: bool = False,
    dry_run: bool = False,
    jobs: int = 2,
) -> Summary:
    """Bring a library up to date with its folder.

    With `dry_run` nothing is decoded or written, and `new` counts what may turn out to be
    moved, duplicate or unreadable.

    Raises:
        LibraryError: if the folder is missing or suddenly empty, or another ingest is running.
        Cancelled: when asked; everything done so far is kept.
    """
    begun = time.monotonic()
    if dry_run:
        plan = _plan(library, encoder.space, retry_failed, cancelled)
        return _summary(plan, Counter(job.kind for job in plan.jobs), [], 0.0, begun)
    with lock.held(library.store, shown(library.root)):
        library.drop_damaged(encoder.space)
        plan = _plan(library, encoder.space, retry_failed, cancelled)
        return _Run(library, encoder, plan, on_progress, cancelled, begun).run(max(1, jobs))


def preview(root: Path) -> Summary:
    """What a first ingest of a folder would find, without making a library for it.

    Raises:
        LibraryError: if the folder is missing or cannot be read.
    """
    found = scan(root)
    unreadable = [root / os.fsdecode(name) for name in found.unreadable]
    return Summary(new=len(found.files), unreadable=unreadable)


def _plan(library: Library, space: LatentSpace, retry_failed: bool, cancelled: Cancel) -> _Plan:
    found = scan(library.root, cancelled)
    known, failed = library.stamps(), library.failed_stamps()
    if known and not found.files and not found.unreadable:
        raise LibraryError(
            f"{shown(library.root)} holds no music now, yet {len(known):,} tracks are listed; "
            f"mount its disk, or move {shown(library.store)} away to forget them"
        )
    heard = library.encoded(space)
    jobs: list[_Job] = []
    unchanged = skipped_failed = 0
    for name, stamp in found.files.items():
        before = known.get(name)
        if before is not None and before[0] == stamp and before[1].content in heard:
            unchanged += 1
        elif failed.get(name) == stamp and not retry_failed:
            skipped_failed += 1
        else:
            changed = before is not None and before[0] != stamp
            jobs.append(_Job("changed" if changed else "new", name, stamp))
    missing = [name for name in known if name not in found.files and not found.hides(name)]
    gone = {name: known[name][1] for name in missing}
    return _Plan(
        _recognise(jobs, known, missing, heard),
        gone,
        [name for name in failed if name not in found.files and not found.hides(name)],
        {name: sound for name, (_, sound) in known.items() if name not in gone},
        unchanged,
        skipped_failed,
        [library.path(name) for name in found.unreadable],
    )


def _recognise(
    jobs: list[_Job],
    known: dict[bytes, tuple[Stamp, Sound]],
    missing: list[bytes],
    heard: set[str],
) -> list[_Job]:
    """Spare a file the decoding if its folder was renamed or it was moved under its own name.

    The name without its folder, the size and the time in nanoseconds must agree with those of
    just one file that is gone, and of no other new file.
    """

    def marks(name: bytes, stamp: Stamp) -> tuple[bytes, Stamp]:
        return name.rpartition(b"/")[2], stamp

    lost = {marks(name, known[name][0]): known[name][1] for name in missing}
    often = Counter(marks(name, known[name][0]) for name in missing)
    often.update(marks(job.name, job.stamp) for job in jobs)
    result: list[_Job] = []
    for job in jobs:
        sound = lost.get(marks(job.name, job.stamp))
        # Two: once among the gone and once among the new.
        alone = often[marks(job.name, job.stamp)] == 2 and job.name not in known
        if sound and alone and sound.content in heard:
            job = job._replace(kind="moved", sound=sound)
        result.append(job)
    return result


class _Run:
    """One ingest that writes."""

    def __init__(
        self,
        library: Library,
        encoder: AudioEncoder,
        plan: _Plan,
        on_progress: Callable[[Progress], None],
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
        self._heard = library.encoded(encoder.space)
        self._live = Counter(sound.content for sound in plan.tracks.values())
        self._gone = Counter(sound.content for sound in plan.gone.values())
        self._counts: Counter[str] = Counter()
        self._failed: list[Failure] = []
        self._audio_s = 0.0

    def run(self, threads: int) -> Summary:
        """Do the plan in its order, so that two runs over equal folders store equal rows."""
        plan = self._plan
        if plan.gone or plan.gone_failures:
            self._library.forget([*plan.gone, *plan.gone_failures])
        self._tell(0, None)
        pool = ThreadPoolExecutor(threads, "gdr-decode")
        try:
            todo = deque(plan.jobs)
            rate_hz = self._encoder.space.sample_rate_hz
            ahead: deque[tuple[_Job, Tags, Future[Audio | None]]] = deque()
            while todo or ahead:
                while todo and len(ahead) <= threads and _has_room(ahead, rate_hz):
                    job = todo.popleft()
                    tags = read_tags(self._library.path(job.name))
                    ahead.append((job, tags, pool.submit(self._decode, job)))
                    self._poll()
                job, tags, decoded = ahead[0]
                while not wait([decoded], timeout=0.1).done:
                    self._poll()
                self._take(job, tags, decoded)
                ahead.popleft()
                self._tell(len(plan.jobs) - len(todo) - len(ahead), job)
                self._poll()
        finally:
            self._stop.set()
            pool.shutdown(cancel_futures=True)
        self._library.touch()
        return _summary(plan, self._counts, self._failed, self._audio_s, self._begun)

    def _decode(self, job: _Job) -> Audio | None:
        """Runs in a thread of the pool."""
        if job.sound:
            return None
        path = self._library.path(job.name)
        return decode(path, self._encoder.space.sample_rate_hz, cancelled=self._stop.is_set)

    def _take(self, job: _Job, tags: Tags, decoded: Future[Audio | None]) -> None:
        """Encode what was decoded if need be, and keep it."""
        path = self._library.path(job.name)
        try:
            audio = decoded.result()
            sound = job.sound or _sound(audio)
            kind = self._kind(job, sound.content)
            if audio is not None:
                self._audio_s += audio.duration_s
                self._encode(sound, audio)
        except (DecodeError, MemoryError) as error:
            # What vanished since the scan has not failed: its disk may have gone with it.
            if os.path.lexists(path):
                reason = str(error) or "it is too large for the memory"
                self._library.put_failure(job.name, job.stamp, reason)
                self._failed.append(Failure(path, reason, time.time()))
            return
        self._library.put_track(job.name, job.stamp, sound, tags)
        self._live[sound.content] += 1
        self._counts[kind] += 1

    def _kind(self, job: _Job, content: str) -> str:
        """What a file turns out to be, now that its sound is known."""
        if job.name in self._plan.tracks:
            self._live[self._plan.tracks[job.name].content] -= 1
        elif self._gone[content] > 0:
            self._gone[content] -= 1
            return "moved"
        copy = content in self._heard and self._live[content] > 0
        return "duplicate" if copy and job.kind == "new" else job.kind

    def _encode(self, sound: Sound, audio: Audio) -> None:
        if sound.content in self._heard:
            return
        latents = self._encoder.encode(audio.samples, self._cancelled)
        if not (np.abs(latents) < np.finfo(np.float16).max).all():
            raise DecodeError("the encoder made no usable numbers of it")
        self._library.put_latents(sound, self._encoder.space, latents)
        self._heard.add(sound.content)
        self._counts["encoded"] += 1

    def _poll(self) -> None:
        if self._cancelled():
            raise Cancelled("stopped; what was done so far is kept")

    def _tell(self, done: int, job: _Job | None) -> None:
        path = self._library.path(job.name) if job else None
        elapsed_s = time.monotonic() - self._begun
        self._on_progress(Progress(done, len(self._plan.jobs), path, self._audio_s, elapsed_s))


def _has_room(ahead: deque[tuple[_Job, Tags, Future[Audio | None]]], rate_hz: int) -> bool:
    return sum(tags.length_s for _, tags, _ in ahead) * rate_hz < AHEAD


def _sound(audio: Audio | None) -> Sound:
    if audio is None:
        raise AssertionError("a job that is not decoded knows its sound")
    power = float(np.dot(audio.samples, audio.samples)) / len(audio.samples)
    loudness_db = 10 * math.log10(power) if power > 0 else SILENCE_DB
    return Sound(audio.content, audio.duration_s, max(loudness_db, SILENCE_DB))


def _summary(
    plan: _Plan, counts: Counter[str], failed: list[Failure], audio_s: float, begun: float
) -> Summary:
    return Summary(
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
