"""Trails kept between sessions: every query with its steering, and the results of recent ones.

The steering of a query is kept forever, some hundred bytes. Its results can be restored by drawing
it again, so only those of the `KEPT_RESULTS` queries seen last are kept, and only what a list
shows of them; a trail grows only by what its user types.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gdr_model.errors import UsageError
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.notebook.database import Notebook
from gdr_model.patience import real
from gdr_model.steering import Steering
from gdr_model.types import Hit, Results, Section, Track

KEPT_RESULTS = 300
"""Queries of a trail whose results are kept; with 50 hits each this is about 2 MB."""


@dataclass(frozen=True)
class KeptQuery:
    """A query of a trail as it is stored."""

    id: int
    parent: int | None
    steering: Steering
    where: str = ""
    name: str = ""
    """The name the user gave it, or ""."""
    hidden: bool = False
    """Hidden by the user, with all queries that came from it."""
    asked_at: float = 0.0
    """Seconds since 1970."""
    tracks_searched: int = 0
    agreement: float = 1.0
    hits: tuple[Hit, ...] = ()
    """Without profiles; empty if they have to be searched for again."""
    limits: Limits = NO_LIMITS


@dataclass(frozen=True)
class KeptTrail:
    """The trail of a set of music folders, parents before children."""

    queries: tuple[KeptQuery, ...] = ()
    current: int | None = None
    """The query that the trail was left at."""


class Trails:
    """The trails in a notebook."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook

    def read(self, roots: Sequence[Path]) -> KeptTrail:
        """The trail of some music folders, without queries that this version cannot read."""
        rows = self._notebook.read("SELECT id, stands_on FROM trails WHERE roots = ?", _key(roots))
        if not rows:
            return KeptTrail()
        trail, current = rows[0]
        hits = self._hits(trail)
        queries: list[KeptQuery] = []
        readable: dict[int | None, int | None] = {None: None}  # or the nearest query above
        for (
            id,
            parent,
            name,
            hidden,
            steering,
            where,
            searched,
            agreement,
            asked_at,
            per_artist,
            per_album,
        ) in self._notebook.read(
            "SELECT id, parent, name, away, steering, filter, tracks_searched, agreement, "
            "asked_at, per_artist, per_album FROM queries WHERE trail = ? ORDER BY id",
            trail,
        ):
            above = readable.get(parent)
            try:
                decoded = Steering.from_json(steering)
            except UsageError:  # written by a newer gdr
                readable[id] = above
                continue
            readable[id] = id
            queries.append(
                KeptQuery(
                    id, above, decoded, where, name, bool(hidden), asked_at, searched, agreement,
                    tuple(hits.get(id, ())), Limits(per_artist, per_album),
                )
            )  # fmt: skip
        return KeptTrail(tuple(queries), readable.get(current))

    def add(
        self,
        roots: Sequence[Path],
        parent: int | None,
        steering: Steering,
        where: str,
        limits: Limits = NO_LIMITS,
    ) -> int:
        """Store a query asked just now; returns its id."""
        now = time.time()
        with self._notebook.write() as connection:
            connection.execute("INSERT OR IGNORE INTO trails (roots) VALUES (?)", (_key(roots),))
            row = connection.execute(
                "INSERT INTO queries (trail, parent, name, away, steering, filter, "
                "tracks_searched, agreement, asked_at, seen_at, per_artist, per_album) "
                "SELECT id, ?, '', 0, ?, ?, 0, 1, ?, ?, ?, ? "
                "FROM trails WHERE roots = ? RETURNING id",
                (
                    parent,
                    steering.to_json(),
                    where,
                    now,
                    now,
                    limits.per_artist,
                    limits.per_album,
                    _key(roots),
                ),
            ).fetchone()
        return int(row[0])

    def put_results(self, query: int, results: Results) -> None:
        """Store the results of a query, and delete those of the query seen longest ago."""
        rows = [
            (query, rank, os.fsencode(hit.track.path), hit.track.title, hit.track.artist,
             hit.track.duration_s, hit.start_s, hit.end_s, hit.score, hit.votes,
             hit.section.title if hit.section else "",
             b"\0".join(os.fsencode(copy.path) for copy in hit.copies))
            for rank, hit in enumerate(results.hits, 1)
        ]  # fmt: skip
        with self._notebook.write() as connection:
            connection.execute("DELETE FROM hits WHERE query = ?", (query,))
            connection.executemany(
                "INSERT INTO hits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            connection.execute(
                "UPDATE queries SET tracks_searched = ?, agreement = ? WHERE id = ?",
                (results.tracks_searched, results.agreement, query),
            )
            connection.execute(
                "DELETE FROM hits WHERE query IN (SELECT id FROM queries WHERE trail = "
                "(SELECT trail FROM queries WHERE id = ?) ORDER BY seen_at DESC LIMIT -1 OFFSET ?)",
                (query, KEPT_RESULTS),
            )

    def make_current(self, query: int) -> None:
        """Make this the current query of its trail."""
        with self._notebook.write() as connection:
            connection.execute("UPDATE queries SET seen_at = ? WHERE id = ?", (time.time(), query))
            connection.execute(
                "UPDATE trails SET stands_on = ?1 "
                "WHERE id = (SELECT trail FROM queries WHERE id = ?1)",
                (query,),
            )

    def describe(self, query: int, name: str, hidden: bool) -> None:
        """Store the name of a query, and whether it is hidden."""
        with self._notebook.write() as connection:
            connection.execute(
                "UPDATE queries SET name = ?, away = ? WHERE id = ?", (name, int(hidden), query)
            )

    def _hits(self, trail: int) -> dict[int, list[Hit]]:
        none = np.zeros(0, np.float32)
        hits: dict[int, list[Hit]] = {}
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
            section,
            copies,
        ) in self._notebook.read(
            "SELECT query, path, title, artist, duration_s, start_s, end_s, score, votes, "
            "section, copies "
            "FROM hits WHERE query IN (SELECT id FROM queries WHERE trail = ?) "
            "ORDER BY query, rank",
            trail,
        ):
            sections = (Section(0.0, section),) if section else ()
            track = Track(Path(os.fsdecode(path)), duration_s, "", title, artist, sections=sections)
            files = [Path(os.fsdecode(name)) for name in copies.split(b"\0") if name]
            others = tuple(Track(file, duration_s, "", title, artist) for file in files)
            hits.setdefault(query, []).append(
                Hit(track, start_s, end_s, score, votes, none, others)
            )
        return hits


def _key(roots: Sequence[Path]) -> bytes:
    """A set of folders as one value, whichever way they are spelled and ordered."""
    return b"\0".join(sorted({os.fsencode(real(root)) for root in roots}))
