"""The list of results, with how every track moved since the parent query."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from gdr_model.types import Hit, Results, Track
from gdr_tui.app.trail.trail import ranks
from gdr_tui.app.ui.listing import Listing
from gdr_tui.safe_text import clock, fit, literal

_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Flags:
    """Tracks that the user has liked, banned or marked."""

    liked: Collection[str] = ()
    banned: Collection[str] = ()
    marked: Collection[Path] = ()


def bar(share: float, cells: int) -> str:
    """A bar of `share` of `cells` columns, in eighths of a column."""
    eighths = round(max(0.0, min(share, 1.0)) * cells * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + _EIGHTHS[rest]).ljust(cells)[:cells]


class ResultsList(Listing):
    """Hits of the current query, or tracks of the library before the first query."""

    BORDER_TITLE = "library"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "results--up",
        "results--down",
        "results--new",
        "results--liked",
        "results--banned",
        "results--marked",
        "results--bar",
        "results--artist",
    }

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._tracks: tuple[Track, ...] = ()
        self._hits: tuple[Hit, ...] = ()
        self._old_ranks: Mapping[Path, int] | None = None
        self._draws = 0
        self.flags = Flags()

    @property
    def length(self) -> int:
        """Number of tracks."""
        return len(self._tracks)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks in order."""
        return self._tracks

    @property
    def track(self) -> Track | None:
        """The track under the cursor."""
        return self._tracks[self.cursor] if self._tracks else None

    @property
    def hit(self) -> Hit | None:
        """The hit under the cursor; None in the library's own list."""
        return self._hits[self.cursor] if self._hits else None

    def moment(self, row: int) -> tuple[Path, float] | None:
        """Where the track of a row is played from; None where there is no such row."""
        if not 0 <= row < len(self._tracks):
            return None
        start_s = self._hits[row].start_s if self._hits else 0.0
        return self._tracks[row].path, start_s

    def show_tracks(self, tracks: tuple[Track, ...]) -> None:
        """List tracks without a query."""
        self._tracks, self._hits, self._old_ranks = tracks, (), None
        self.filled(self.cursor)

    def show_results(self, results: Results, before: Results | None, keep: Path | None) -> None:
        """List hits; the cursor goes to `keep`, or stays on its line if `keep` is gone."""
        self._hits = results.hits
        self._tracks = tuple(hit.track for hit in results.hits)
        self._draws = len(results.query.vectors) or results.query.steering.draws
        self._old_ranks = ranks(before) if before else None
        rows = {track.path: row for row, track in enumerate(self._tracks)}
        self.filled(rows.get(keep, self.cursor) if keep else 0)

    def show_flags(self, flags: Flags) -> None:
        """Show likes, bans and marks."""
        if flags != self.flags:
            self.flags = flags
            self.refresh()

    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """One track."""
        track = self._tracks[row]
        hit = self._hits[row] if self._hits else None
        tail = self._tail(hit, track, width)
        head = [
            ("┃" if track.path in self.flags.marked else " ", "results--marked"),
            (f"{row + 1:>3} ", "listing--dim"),
        ]
        if self._old_ranks is not None:
            head.append(self._change(row, track.path))
        head.append(self._opinion(str(track.path)))
        room = width - sum(len(text) for text, _ in head + tail)
        name, artist = literal(track.name), literal(track.artist)
        if artist and room >= 36:
            split = room * 3 // 5
            return [*head, (fit(name, split - 2) + "  ", ""),
                    (fit(artist, room - split), "results--artist"), *tail]  # fmt: skip
        return [*head, (fit(name, room), ""), *tail]

    def _change(self, row: int, path: Path) -> tuple[str, str]:
        """How the track moved: up, down, new or not at all."""
        old = (self._old_ranks or {}).get(path)
        if old is None:
            return "★new ", "results--new"
        by = old - (row + 1)
        if by == 0:
            return "  ·  ", "listing--dim"
        return f"{'▲' if by > 0 else '▼'}{abs(by):<4}", f"results--{'up' if by > 0 else 'down'}"

    def _opinion(self, path: str) -> tuple[str, str]:
        """Liked, banned or neither."""
        if path in self.flags.liked:
            return "♥ ", "results--liked"
        return ("⊘ ", "results--banned") if path in self.flags.banned else ("  ", "")

    def _tail(self, hit: Hit | None, track: Track, width: int) -> list[tuple[str, str]]:
        """Score, votes and start of the passage, as far as there is room."""
        if hit is None:
            return [(f"{clock(track.duration_s):>8} ", "listing--dim")]
        tail = [(f" {hit.score:5.2f}", "")]
        if width >= 40:
            cells = 10 if width >= 84 else 5
            share = hit.score / max(self._hits[0].score, 1e-6)
            tail.insert(0, (" " + bar(share, cells), "results--bar"))
        if width >= 30:
            tail.append((f" {clock(hit.start_s):>6}", "results--artist"))
        votes = f"{hit.votes}/{self._draws}"
        return [*tail, (f" {votes:>5} ", "listing--dim")] if width >= 56 else [*tail, (" ", "")]
