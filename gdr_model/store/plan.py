"""Plan an ingest: what changed in a folder, judging by names, sizes and times alone."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gdr_model.errors import Hint, LibraryError
from gdr_model.store.folder.at_an_address import scan
from gdr_model.store.folder.left_out import Excludes
from gdr_model.store.folder.scan import Scan
from gdr_model.store.library import Library
from gdr_model.store.records import Sound, Stamp, around, shown
from gdr_model.types import Cancel, LatentSpace

Known = dict[bytes, tuple[Stamp, Sound]]


class Job(NamedTuple):
    """A file to ingest."""

    kind: str
    """The field of `IngestSummary` to count it in, judging by its name and time alone."""
    name: bytes
    stamp: Stamp
    sound: Sound | None = None
    """Set if it is known without decoding; then only the tags are read."""


@dataclass(frozen=True)
class Wanted:
    """What to do besides looking for changes."""

    retry_failed: bool = False
    """Also try files that failed before and have not changed."""
    reread_tags: bool = False
    """Read the tags of every track again."""
    exclude: tuple[str, ...] = ()
    """Globs of what to leave out, besides those that are kept with the library."""
    keep: tuple[str, ...] | None = None
    """Globs to keep with the library in place of those before; None for no change."""


@dataclass(frozen=True)
class Plan:
    """The work to do."""

    jobs: list[Job]
    retags: dict[bytes, Stamp]
    """Tracks of unchanged sound whose tags may have changed."""
    gone: dict[bytes, Sound]
    """Tracks whose files no longer exist."""
    away: dict[bytes, Sound]
    """Tracks in folders that are suddenly empty, which may be disks that are not mounted."""
    gone_failures: list[bytes]
    tracks: dict[bytes, Sound]
    """Tracks whose files exist."""
    unchanged: int
    """Including `retags`."""
    skipped_failed: int
    found: Scan

    def away_counts(self) -> dict[bytes, int]:
        """How many tracks are away, by the empty folder or broken link that they are in."""
        tops = set(self.found.empty)
        return dict(Counter(top for name in self.away for top in around(name) if top in tops))


def preview_of(found: Scan) -> Plan:
    """The plan of a first ingest."""
    jobs = [Job("new", name, stamp) for name, stamp in found.files.items()]
    return Plan(jobs, {}, {}, {}, [], {}, 0, 0, found)


def plan(library: Library, space: LatentSpace, wanted: Wanted, cancelled: Cancel) -> Plan:
    """Compare a library with its folder.

    Raises:
        LibraryError: if the folder is missing or suddenly empty.
        Cancelled: when asked.
    """
    kept = library.files.excludes if wanted.keep is None else wanted.keep
    excludes = Excludes((*kept, *wanted.exclude), library.root)
    found = scan(library.root, cancelled, excludes=excludes, part=os.fsdecode(library.part))
    listed, failed = library.files.stamps(), library.files.failed_stamps()
    if not found.files and _are_missing(listed, found):
        raise LibraryError(
            f"{shown(library.folder)} holds no music now, but its library lists "
            f"{len(listed):,} tracks",
            Hint.MOUNT_OR_FORGET,
            root=library.folder,
        )
    encoded = library.encoded(space)
    jobs: list[Job] = []
    retags: dict[bytes, Stamp] = {}
    unchanged = skipped_failed = 0
    sheets = library.files.sheets()
    # A sheet on a disk that is not there now has not been removed.
    found.sheets |= {n: s for n, s in sheets.items() if found.may_hide(n) or found.may_be_away(n)}
    resheeted = _folders_of_changed_sheets(sheets, found.sheets)
    for name, stamp in found.files.items():
        before = listed.get(name)
        if before and before[0].same_sound(stamp) and before[1].content in encoded:
            unchanged += 1
            if (
                before[0].ctime_ns != stamp.ctime_ns
                or wanted.reread_tags
                or (resheeted and _folder(name) in resheeted)
            ):
                retags[name] = stamp
        elif name in failed and failed[name].same_sound(stamp) and not wanted.retry_failed:
            skipped_failed += 1
        else:
            changed = before is not None and not before[0].same_sound(stamp)
            jobs.append(Job("changed" if changed else "new", name, stamp))
    missing = {
        name: known
        for name, known in listed.items()
        if name not in found.files and not found.may_hide(name)
    }
    away = _away(missing, listed, found)
    gone = {name: known for name, known in missing.items() if name not in away}
    return Plan(
        _recognised(jobs, listed, missing, gone, library.files.former(), encoded),
        retags,
        {name: sound for name, (_, sound) in gone.items()},
        away,
        [
            name
            for name in failed
            if name not in found.files and not found.may_hide(name) and not found.may_be_away(name)
        ],
        {name: sound for name, (_, sound) in listed.items() if name not in missing},
        unchanged,
        skipped_failed,
        found,
    )


def _are_missing(listed: Known, found: Scan) -> bool:
    """Whether there are tracks that nothing accounts for where no music is found."""
    accounted = found.unwanted() | found.unreadable
    return any(accounted.isdisjoint(around(name)) for name in listed)


def _away(missing: Known, listed: Known, found: Scan) -> dict[bytes, Sound]:
    """Tracks that may be on disks that are not mounted.

    Where every track of an empty folder is at a new path, they were moved out of it.
    """
    new = {_traits(name, stamp) for name, stamp in found.files.items() if name not in listed}
    tops: dict[bytes, list[bytes]] = defaultdict(list)
    for name in missing:
        for top in around(name):
            if top in found.empty:
                tops[top].append(name)
    return {
        name: missing[name][1]
        for names in tops.values()
        if not all(_traits(name, missing[name][0]) in new for name in names)
        for name in names
    }


def _recognised(
    jobs: list[Job],
    listed: Known,
    missing: Known,
    gone: Known,
    former: Known,
    encoded: set[str],
) -> list[Job]:
    """Skip decoding files that were moved under their own name or with their folder, or return.

    A file that returns has the path, size and time of a former track. For a moved one the name
    without its folder, the size and the time in nanoseconds must equal those of files of one sound
    that are missing or gone, and of no other new file. A file without a time, as some servers list
    them, is not recognised.
    """
    sounds: dict[tuple[bytes, int, int], set[Sound]] = defaultdict(set)
    for known in (missing, former):
        for name, (stamp, sound) in known.items():
            sounds[_traits(name, stamp)].add(sound)
    moved_from = {_traits(name, stamp) for name, (stamp, _) in gone.items()}
    alike: dict[tuple[bytes, int, int], int] = defaultdict(int)
    for job in jobs:
        alike[_traits(job.name, job.stamp)] += 1

    def recognised(job: Job) -> Job:
        if job.name in listed or not job.stamp.mtime_ns:
            return job
        traits = _traits(job.name, job.stamp)
        if job.name in former and former[job.name][0].same_sound(job.stamp):
            kind, sound = job.kind, former[job.name][1]
        elif alike[traits] == 1 and len(sounds.get(traits, ())) == 1:
            kind, (sound,) = "moved" if traits in moved_from else job.kind, sounds[traits]
        else:
            return job
        return job._replace(kind=kind, sound=sound) if sound.content in encoded else job

    return [recognised(job) for job in jobs]


def _traits(name: bytes, stamp: Stamp) -> tuple[bytes, int, int]:
    return name.rpartition(b"/")[2], stamp.size, stamp.mtime_ns


def _folders_of_changed_sheets(before: dict[bytes, Stamp], now: dict[bytes, Stamp]) -> set[bytes]:
    """The folders in which a cue sheet was added, changed or removed."""
    names: Iterable[bytes] = before.keys() | now.keys()
    return {
        _folder(name)
        for name in names
        if name not in before or name not in now or not before[name].same_sound(now[name])
    }


def _folder(name: bytes) -> bytes:
    return name.rpartition(b"/")[0]
