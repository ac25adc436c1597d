"""A list of tracks to be exported, from the results of a query or from a crate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdr_model.notebook.crates import CrateTrack
from gdr_model.steering import Steering
from gdr_model.types import Results
from gdr_tui.labels import asked_for
from gdr_tui.rows import crate_row, hit_row


@dataclass(frozen=True)
class Entry:
    """One track of a list."""

    path: Path
    title: str
    artist: str
    album: str
    genre: str
    duration_s: float
    start_s: float
    """Where its best passage begins."""
    row: dict[str, Any]
    """All of its facts, named as in the output of the command line."""

    @property
    def name(self) -> str:
        """Title if tagged, else the file's name."""
        return self.title or self.path.name


@dataclass(frozen=True)
class Style:
    """How a list is written, where its form leaves a choice."""

    relative: bool = False
    """Paths in playlists and links lead from the target to the tracks."""
    starts: bool = False
    """A playlist starts each track at its best passage, in players that know how."""
    bom: bool = False
    """A table begins with a byte order mark, by which spreadsheets recognise UTF-8."""


PLAIN = Style()
"""For programs, and for players of any kind."""


@dataclass(frozen=True)
class TrackList:
    """Tracks in order."""

    title: str
    entries: tuple[Entry, ...]
    steering: Steering | None = None
    """For the results of a query: what gives the same list again."""


def of_results(results: Results, only: frozenset[Path] = frozenset()) -> TrackList:
    """The hits in `only` (all when it is empty), under their ranks."""
    entries = [
        Entry(
            t.path, hit.title, hit.artist, t.album, t.genre, t.duration_s, hit.start_s,
            hit_row(rank, hit, results) | {"album": t.album, "genre": t.genre},
        )
        for rank, hit in enumerate(results.hits, 1)
        if (t := hit.track) and (not only or t.path in only)
    ]  # fmt: skip
    steering = results.query.steering
    return TrackList(asked_for(steering), tuple(entries), steering)


def of_crate(name: str, tracks: Sequence[CrateTrack]) -> TrackList:
    """The tracks of a crate, numbered from 1."""
    return TrackList(
        name,
        tuple(
            Entry(
                t.path, t.title, t.artist, t.album, t.genre, t.duration_s, t.start_s,
                crate_row(number, t),
            )
            for number, t in enumerate(tracks, 1)
        ),
    )  # fmt: skip
