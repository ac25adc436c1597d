"""List the user's libraries without opening them."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from gdr_model.paths import home, inside, store_of
from gdr_model.patience import is_folder
from gdr_model.store.disk.connection import FAULTS, connect
from gdr_model.store.records import key

PATIENCE_S = 5.0
"""How long another program can keep a library locked before its store counts as damaged."""


class Place(NamedTuple):
    """Where a library is kept, and how much of it is meant."""

    root: Path
    """The music folder, spelled as the user spells it."""
    store: Path
    part: bytes = b""
    """The key of a folder inside the root, empty for all of it."""


class Stores(NamedTuple):
    """The stores in gdr's folder of libraries."""

    known: list[Place]
    """Most recently indexed first."""
    damaged: list[Path]
    """The stores that cannot be read."""

    @property
    def roots(self) -> list[Path]:
        """The music folders, most recently indexed first."""
        return [place.root for place in self.known]


def stores() -> Stores:
    """Find every store and read its music folder."""
    indexed: list[tuple[float, Place]] = []
    damaged: list[Path] = []
    for database in sorted((home() / "libraries").glob("*/library.db")):
        try:
            with closing(connect(database, PATIENCE_S)) as connection:
                facts = dict(connection.execute("SELECT name, value FROM facts"))
            at = Place(_root(facts["root"]), database.parent)
            indexed.append((float(facts.get("indexed_at", 0.0)), at))
        except (*FAULTS, KeyError, TypeError, ValueError):
            damaged.append(database.parent)
    return Stores([at for _, at in sorted(indexed, key=lambda item: -item[0])], damaged)


def _root(stored: bytes | str) -> Path:
    if "\0" in (root := os.fsdecode(stored)):
        raise ValueError(root)
    return Path(root)


def find(folder: Path) -> Place | None:
    """Where the library of a folder is kept: its own store, or that of a folder around it.

    A folder that is gone is known by the path under which it was indexed.
    """
    own = store_of(folder)
    if (own / "library.db").exists():
        return Place(folder, own)
    known = stores().known
    absolute = Path(os.path.abspath(folder))
    same = [at for at in known if at.root == absolute and not is_folder(at.root)]
    around = [
        Place(root, at.store, key(relative))
        for at in known
        for root, relative in inside(folder, at.root)
    ]
    return next(iter(same), min(around, key=lambda at: len(at.part), default=None))


def place(folder: Path) -> Place:
    """The same; a store that does not exist yet where there is none."""
    return find(folder) or Place(folder, store_of(folder))
