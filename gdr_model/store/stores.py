"""List the user's libraries without opening them."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from gdr_model.paths import home


class Stores(NamedTuple):
    """The stores in gdr's folder of libraries."""

    roots: list[Path]
    """Their music folders, most recently indexed first."""
    damaged: list[Path]
    """The stores that cannot be read."""


def stores() -> Stores:
    """Find every store and read its music folder."""
    indexed: list[tuple[float, Path]] = []
    damaged: list[Path] = []
    for database in sorted((home() / "libraries").glob("*/library.db")):
        try:
            with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
                facts = dict(connection.execute("SELECT name, value FROM facts"))
            indexed.append((facts.get("indexed_at", 0.0), Path(os.fsdecode(facts["root"]))))
        except (sqlite3.Error, KeyError):
            damaged.append(database.parent)
    return Stores([root for _, root in sorted(indexed, key=lambda item: -item[0])], damaged)
