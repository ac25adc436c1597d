"""Move a library to another folder: its store, and every path in the notebook, or neither."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gdr_model.errors import Hint, LibraryError
from gdr_model.notebook.database import Notebook
from gdr_model.notebook.moved_paths import follow
from gdr_model.paths import store_name, store_of
from gdr_model.patience import hangs, is_folder, real
from gdr_model.store.records import shown
from gdr_model.store.roots.moved import candidates, found_in, relocate
from gdr_model.store.stores import Place, find, stores
from gdr_model.types import Cancel, never


@dataclass(frozen=True)
class Moved:
    """What was moved."""

    old: Path
    new: Path
    tracks: int
    """Of the library; 0 if only the notebook had anything to follow."""
    found: int
    """Tracks whose files are in the new folder with their size and time."""
    in_crates: int
    """Tracks in crates that follow."""


def move(old: Path, new: Path) -> Moved:
    """Move the library of a folder to another folder, where its files are now.

    Nothing is decoded or encoded. Of a folder inside a library only the paths in crates and trails
    follow; its tracks are recognised when the library is indexed.

    Raises:
        LibraryError: if there is no such library or folder, no track of it is there, or nothing
            followed.
        StoreUnavailable: if another program is indexing one of the two.
    """
    old, new = (Path(os.path.abspath(folder.expanduser())) for folder in (old, new))
    if not is_folder(new):
        raise LibraryError(f"there is no folder {shown(new)}")
    at = _library_of(old)
    if at and at.root == new and at.store == store_of(new):
        raise LibraryError(f"the library of {shown(old)} is in {shown(new)} already")
    if at is None and find(old) is None and find(new) is None:
        raise LibraryError(f"no library at {shown(old)} is known", Hint.INDEX, root=new)
    return _move(at, old, new)


def recognised(new: Path, cancelled: Cancel = never) -> Moved | None:
    """Move the library whose files are in a folder now to that folder, if there is one.

    Nothing is done for a folder that has a library, or is inside one, except that a library that
    was indexed by a link that leads elsewhere now gets the path by which it is reached.

    Raises:
        LibraryError: if several libraries fit, or the folder cannot be read.
        Cancelled: when asked.
    """
    at = recognise(new, cancelled)
    return _move(at, at.root, Path(os.path.abspath(new))) if at else None


def recognise(new: Path, cancelled: Cancel = never) -> Place | None:
    """The library that `recognised` would move."""
    own = find(new)
    if own is not None:
        stored = next((at for at in stores().known if at.store == own.store), own)
        same = hangs(stored.root) or store_of(stored.root) == own.store
        return None if own.part or same else stored
    fitting = candidates(new, cancelled)
    if len(fitting) > 1:
        several = ", ".join(shown(at.root) for at in fitting)
        raise LibraryError(
            f"{shown(new)} holds the tracks of several libraries whose folders are gone: {several}",
            Hint.MOVE,
            old=fitting[0].root,
            new=new,
        )
    return fitting[0] if fitting else None


def _library_of(folder: Path) -> Place | None:
    """The library with this root, by its own path or by the path it was indexed under."""
    known = stores().known
    own = store_of(folder)
    return next((at for at in known if at.store == own or at.root == folder), None)


def _move(at: Place | None, old: Path, new: Path) -> Moved:
    """Let the notebook and the library follow.

    Raises:
        LibraryError: if neither has anything in the old folder.
    """
    # A scan can take minutes, in which others write to the notebook.
    found = found_in(new, at) if at else None
    with Notebook.open() as notebook, notebook.write() as connection:
        roots = [old, Path(real(old)), *([at.root] if at else [])]
        if at:
            # A trail names its folders without symbolic links, and a link can lead elsewhere now.
            roots += [
                folder
                for (joined,) in connection.execute("SELECT roots FROM trails")
                for root in map(Path, map(os.fsdecode, joined.split(b"\0")))
                for folder in (root, *root.parents)
                if store_name(str(folder)) == at.store.name
            ]
        before = connection.total_changes
        in_crates = follow(connection, roots, new)
        if at is None and connection.total_changes == before:
            raise LibraryError(f"gdr knows nothing in {shown(old)}", Hint.LIST_LIBRARIES)
        followed = relocate(at, new, found) if at and found else None
    if followed is None:
        return Moved(old, new, 0, 0, in_crates)
    return Moved(old, new, followed.tracks, followed.found, in_crates)
