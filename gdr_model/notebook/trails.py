"""Trails kept across sittings: every query with its steering, and what the latest ones found.

The steering of a query is kept for good, some hundred bytes. Its results can be found again by
drawing it again, so only those of the `KEPT_RESULTS` queries seen last are kept, and only what a
list shows of them; a trail grows by what its user types and by nothing else.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gdr_model.errors import UsageError
from gdr_model.notebook.database import Notebook
from gdr_model.types import Hit, Results, Steering, Track

KEPT_RESULTS = 300
"""Queries of a trail whose results are kept: 50 hits each are about 2 MB."""


@dataclass(frozen=True)
class KeptQuery:
    """A query of a trail as it lies on the disk."""

    id: int
    parent: int | None
    steering: Steering
    where: str = ""
    name: str = ""
    """What the user calls it; "" where it has no name."""
    away: bool = False
    """Put away, with all that came of it."""
    asked_at: float = 0.0
    """Seconds since 1970."""
    tracks_searched: int = 0
    agreement: float = 1.0
    hits: tuple[Hit, ...] = ()
    """Without profiles; none where they have to be found again."""


@dataclass(frozen=True)
class KeptTrail:
    """All queries of a set of libraries, parents before children."""

    queries: tuple[KeptQuery, ...] = ()
    stands_on: int | None = None


class Trails:
    """The trails in a notebook."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook

    def read(self, roots: Sequence[Path]) -> KeptTrail:
        """The trail of these music folders; a query that this gdr cannot read is left out."""
        found = self._notebook.read("SELECT id, stands_on FROM trails WHERE roots = ?", _key(roots))
        if not found:
            return KeptTrail()
        trail, stands_on = found[0]
        hits = self._hits(trail)
        queries: list[KeptQuery] = []
        instead: dict[int | None, int | None] = {None: None}
        for (
            id,
            parent,
            name,
            away,
            steering,
            where,
            searched,
            agreement,
            asked_at,
        ) in self._notebook.read(
            "SELECT id, parent, name, away, steering, filter, tracks_searched, agreement, "
            "asked_at FROM queries WHERE trail = ? ORDER BY id",
            trail,
        ):
            above = instead.get(parent)
            try:
                meant = Steering.from_json(steering)
            except UsageError:  # a newer gdr asked this one
                instead[id] = above
                continue
            instead[id] = id
            queries.append(
                KeptQuery(
                    id, above, meant, where, name, bool(away), asked_at, searched, agreement,
                    tuple(hits.get(id, ())),
                )
            )  # fmt: skip
        return KeptTrail(tuple(queries), instead.get(stands_on))

    def add(self, roots: Sequence[Path], parent: int | None, steering: Steering, where: str) -> int:
        """Keep a query that was asked now; returns its number."""
        now = time.time()
        with self._notebook.write() as connection:
            connection.execute("INSERT OR IGNORE INTO trails (roots) VALUES (?)", (_key(roots),))
            row = connection.execute(
                "INSERT INTO queries (trail, parent, name, away, steering, filter, "
                "tracks_searched, agreement, asked_at, seen_at) "
                "SELECT id, ?, '', 0, ?, ?, 0, 1, ?, ? FROM trails WHERE roots = ? RETURNING id",
                (parent, steering.to_json(), where, now, now, _key(roots)),
            ).fetchone()
        return int(row[0])

    def put_results(self, query: int, results: Results) -> None:
        """Keep what a query found, and forget what the one seen longest ago found."""
        rows = [
            (query, rank, os.fsencode(hit.track.path), hit.track.title, hit.track.artist,
             hit.track.duration_s, hit.start_s, hit.end_s, hit.score, hit.votes)
            for rank, hit in enumerate(results.hits, 1)
        ]  # fmt: skip
        with self._notebook.write() as connection:
            connection.execute("DELETE FROM hits WHERE query = ?", (query,))
            connection.executemany("INSERT INTO hits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            connection.execute(
                "UPDATE queries SET tracks_searched = ?, agreement = ? WHERE id = ?",
                (results.tracks_searched, results.agreement, query),
            )
            connection.execute(
                "DELETE FROM hits WHERE query IN (SELECT id FROM queries WHERE trail = "
                "(SELECT trail FROM queries WHERE id = ?) ORDER BY seen_at DESC LIMIT -1 OFFSET ?)",
                (query, KEPT_RESULTS),
            )

    def stand(self, query: int) -> None:
        """Remember that the trail was left at this query."""
        with self._notebook.write() as connection:
            connection.execute("UPDATE queries SET seen_at = ? WHERE id = ?", (time.time(), query))
            connection.execute(
                "UPDATE trails SET stands_on = ?1 "
                "WHERE id = (SELECT trail FROM queries WHERE id = ?1)",
                (query,),
            )

    def describe(self, query: int, name: str, away: bool) -> None:
        """Keep what the user calls a query, and whether it is put away."""
        with self._notebook.write() as connection:
            connection.execute(
                "UPDATE queries SET name = ?, away = ? WHERE id = ?", (name, int(away), query)
            )

    def _hits(self, trail: int) -> dict[int, list[Hit]]:
        none = np.zeros(0, np.float32)
        found: dict[int, list[Hit]] = {}
        for (
            query,
            path,
            title,
            artist,
            duration_s,
            start_s,
            end_s,
            score,
            votes,
        ) in self._notebook.read(
            "SELECT query, path, title, artist, duration_s, start_s, end_s, score, votes "
            "FROM hits WHERE query IN (SELECT id FROM queries WHERE trail = ?) "
            "ORDER BY query, rank",
            trail,
        ):
            track = Track(Path(os.fsdecode(path)), duration_s, "", title, artist)
            found.setdefault(query, []).append(Hit(track, start_s, end_s, score, votes, none))
        return found


def _key(roots: Sequence[Path]) -> bytes:
    """A set of folders as one value, however they are spelled and in whatever order."""
    return b"\0".join(sorted({os.fsencode(os.path.realpath(root)) for root in roots}))
