"""Libraries whose music folder is somewhere else now: recognise them, and let the store follow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from gdr_model.errors import LibraryError, StoreUnavailable
from gdr_model.paths import store_of
from gdr_model.store import lock
from gdr_model.store.folder.left_out import Excludes
from gdr_model.store.folder.presence import is_empty
from gdr_model.store.folder.scan import Scan, scan
from gdr_model.store.library import Library
from gdr_model.store.records import Sound, Stamp, shown
from gdr_model.store.stores import Place, stores
from gdr_model.types import Cancel, never

AGREEING = 0.9
"""The share of a library's tracks that must be found again to recognise it at a new path."""


@dataclass(frozen=True)
class Followed:
    """What became of a store whose root moved."""

    tracks: int
    found: int
    """Tracks whose files are under the new root with their size and time."""


def candidates(root: Path, cancelled: Cancel = never) -> list[Place]:
    """The libraries whose root is gone and most of whose tracks are under a folder instead.

    Names relative to the root, sizes and times must agree; times may differ by two seconds, as
    they do between file systems.

    Raises:
        LibraryError: if the folder cannot be read.
        Cancelled: when asked.
    """
    gone = [at for at in stores().known if _has_left(at, root)]
    if not gone:
        return []
    found = scan(root, cancelled)
    fitting = []
    for at in gone:
        with Library.open(at.root, store=at.store) as library:
            tracks = library.files.stamps()
        if tracks and len(_again(tracks, found)) >= AGREEING * len(tracks):
            fitting.append(at)
    return fitting


def _has_left(at: Place, root: Path) -> bool:
    """Whether the files of a library are not where its store says."""
    if at.root == Path(os.path.abspath(root)):
        return at.store != store_of(root)  # a link that leads elsewhere now
    return is_empty(at.root) is True  # not on a disk that only fails to answer


def found_in(root: Path, at: Place) -> Scan:
    """The files in another folder that a library would take.

    Raises:
        LibraryError: if the folder cannot be read.
    """
    with Library.open(at.root, store=at.store) as library:
        return scan(root, excludes=Excludes(library.files.excludes, root))


def relocate(at: Place, root: Path, found: Scan) -> Followed:
    """Let a store follow its files to another root, in which `found_in` found them.

    What a store of the new root holds already is merged into it, and nothing is decoded.

    Raises:
        LibraryError: if none of its tracks is under the new root, or a store cannot be written.
        StoreUnavailable: if another program is indexing one of the two.
    """
    root = Path(os.path.abspath(root))
    target = store_of(root)
    with ExitStack() as stack:
        stack.enter_context(lock.held(at.store, shown(at.root)))
        library = stack.enter_context(Library.open(at.root, store=at.store))
        tracks = library.files.stamps()
        if tracks and not tracks.keys() & found.files.keys():
            raise LibraryError(
                f"none of the {len(tracks):,} tracks of {shown(at.root)} is in {shown(root)}"
            )
        if target.exists() and target != at.store:
            stack.enter_context(lock.held(target, shown(root)))
            _merge(library, Library.open(root, store=target))
    if target != at.store:
        try:
            _replace(target, at.store, root)
        except OSError as error:
            raise LibraryError(f"{shown(at.store)} cannot be moved: {error.strerror}") from error
    with Library.open(root, store=target) as library:
        library.files.put_root(root)
        again = _again(library.files.stamps(), found)
        library.files.put_stamps(again)
    return Followed(len(tracks), len(tracks.keys() & again.keys()))


def _replace(target: Path, store: Path, root: Path) -> None:
    """Put a store in the place of another, unless a program uses that again since it was merged.

    Their folders cannot be renamed on Windows while their locks are held, so the old one is set
    aside first.
    """
    aside = target.parent / "merged" / target.name
    shutil.rmtree(aside.parent, ignore_errors=True)
    if target.exists():
        aside.parent.mkdir()
        os.rename(target, aside)
    try:
        if aside.exists():
            with lock.held(aside, shown(root)):
                pass
        os.rename(store, target)
    except (OSError, StoreUnavailable):
        if aside.exists():
            os.rename(aside, target)
        raise
    shutil.rmtree(aside.parent, ignore_errors=True)


def _again(tracks: Mapping[bytes, tuple[Stamp, Sound]], found: Scan) -> dict[bytes, Stamp]:
    """The stamps that tracks have now, of those found again."""
    return {
        name: now
        for name, (stamp, _) in tracks.items()
        if (now := found.files.get(name)) is not None and stamp.nearly(now)
    }


def _merge(into: Library, other: Library) -> None:
    """Add what another store of the same files holds."""
    with other:
        sounds = {sound.content: sound for _, sound in other.files.stamps().values()}
        for space in other.spaces():
            for content in sorted(other.encoded(space) - into.encoded(space)):
                if content in sounds:
                    into.put_latents(sounds[content], space, other.latents(content, space))
        into.files.take_over(other.files)
        excludes = (*into.files.excludes, *other.files.excludes)
        into.files.put_excludes(tuple(dict.fromkeys(excludes)))
