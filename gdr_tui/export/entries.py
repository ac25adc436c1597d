"""What is written out: a list of tracks with a title, wherever the list comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdr_model.notebook.crates import CrateTrack
from gdr_model.types import Results, Steering
from gdr_tui.cli.output import record


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
    """Where the passage begins that was found."""
    row: dict[str, Any]
    """All that is known of it, by the names the command line uses."""

    @property
    def name(self) -> str:
        """Title if tagged, else the file's name."""
        return self.title or self.path.name


@dataclass(frozen=True)
class TrackList:
    """Tracks in an order."""

    title: str
    entries: tuple[Entry, ...]
    steering: Steering | None = None
    """For the results of a query: what makes the same list again."""


def of_results(results: Results, only: frozenset[Path] = frozenset()) -> TrackList:
    """The hits in `only` (all when it is empty), under their ranks."""
    entries = [
        Entry(
            t.path, t.title, t.artist, t.album, t.genre, t.duration_s, hit.start_s,
            record(rank, hit, results) | {"album": t.album, "genre": t.genre},
        )
        for rank, hit in enumerate(results.hits, 1)
        if (t := hit.track) and (not only or t.path in only)
    ]  # fmt: skip
    steering = results.query.steering
    return TrackList(steering.prompt, tuple(entries), steering)


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


def crate_row(number: int, track: CrateTrack) -> dict[str, Any]:
    """One track of a crate as every machine-readable form gives it."""
    return {
        "rank": number,
        "path": str(track.path),
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "genre": track.genre,
        "duration_s": round(track.duration_s, 3),
        "start_s": round(track.start_s, 3),
        "prompt": track.prompt,
    }
