"""Forget tracks whose files are not there now, or a whole library."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from gdr_model.errors import Hint, LibraryError
from gdr_model.remote.places import address_of
from gdr_model.store import lock
from gdr_model.store.folder.presence import is_empty
from gdr_model.store.library import Library
from gdr_model.store.records import shown, within
from gdr_model.store.stores import Place, find


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten."""

    root: Path
    """Of the library."""
    tracks: int
    failures: int = 0
    """Files that could not be read."""
    unreachable: int = 0
    """Files that are kept, because the system cannot say whether they are there."""
    size: int | None = None
    """Bytes of the store that was removed; None if the library is kept."""


def forget(folder: Path, *, whole: bool = False) -> Forgotten:
    """Forget what is not there now in a folder; no music file is touched.

    A library whose root is gone is removed whole, unless it is at an address.

    Args:
        folder: the root of a library, or a folder in one.
        whole: remove the library although its root is there.

    Raises:
        LibraryError: if nothing is known in the folder, everything known is there, or the folder
            cannot be read.
        StoreUnavailable: if another program is indexing it.
    """
    at = find(folder)
    if at is None or (whole and at.part):
        raise LibraryError(f"{shown(folder)} is not the folder of any library")
    with lock.held(at.store, shown(at.root)):
        has_disk = not at.part and address_of(at.root) is None
        is_gone = whole or (has_disk and is_empty(at.root))
        if is_gone is None:
            raise _unreadable(folder)
        if is_gone:
            removed = _removed(at)
        else:
            return _missing_forgotten(at, folder)
    shutil.rmtree(at.store)
    return removed


def drop_empty(folder: Path) -> None:
    """Remove the store of a folder if it holds neither tracks, failures nor exclusions.

    A store that another program is indexing is kept.
    """
    at = find(folder)
    if at is None or at.part:
        return
    try:
        with lock.held(at.store, shown(at.root)), Library.open(at.root, store=at.store) as library:
            if library.count() or library.failures() or library.files.excludes:
                return
    except LibraryError:
        return
    shutil.rmtree(at.store)


def _removed(at: Place) -> Forgotten:
    """What removing a store forgets."""
    with Library.open(at.root, store=at.store) as library:
        tracks, failures = library.count(), len(library.failures())
    size = sum(file.stat().st_size for file in at.store.rglob("*") if file.is_file())
    return Forgotten(at.root, tracks, failures, size=size)


def _missing_forgotten(at: Place, folder: Path) -> Forgotten:
    with Library.open(at.root, store=at.store) as library:
        files, start = library.files, within(at.part)[0]
        tracks = {name for name in files.stamps() if name.startswith(start)}
        failures = {name for name in files.failed_stamps() if name.startswith(start)}
        there = {name: _is_there(library.path(name)) for name in (*tracks, *failures)}
        if not there:
            raise LibraryError(f"the library of {shown(at.root)} knows nothing in {shown(folder)}")
        gone = [name for name, is_there in there.items() if is_there is False]
        unreachable = sum(is_there is None for is_there in there.values())
        if not gone and unreachable:
            raise _unreadable(folder)
        if not gone:
            raise LibraryError(
                f"what is known in {shown(folder)} is there and would be indexed again",
                Hint.EXCLUDE if at.part else Hint.FORGET_WHOLE,
                root=at.root,
            )
        files.forget(gone)
        files.put_found(
            files.left_out(), [top for top in files.absent() if files.count_within(top)]
        )
        forgotten = len(tracks & set(gone))
        return Forgotten(at.root, forgotten, len(gone) - forgotten, unreachable)


def _unreadable(folder: Path) -> LibraryError:
    return LibraryError(f"{shown(folder)} cannot be read, so nothing in it is forgotten")


def _is_there(path: Path) -> bool | None:
    """None if the system cannot say."""
    if address_of(path):
        return True
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return None
    return True
