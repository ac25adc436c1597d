"""The list of results, with how every track moved since the parent query."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from rich.cells import cell_len

from gdr_model.types import Hit, Results, Track
from gdr_tui.app.trail.trail import place, ranks
from gdr_tui.app.ui.listing import Listing
from gdr_tui.app.values import from_home
from gdr_tui.rows import copies_note, sound_format
from gdr_tui.safe_text import clock, fit, literal

_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True)
class Flags:
    """What the user thinks of tracks."""

    liked: Collection[str] = ()
    banned: Collection[str] = ()
    marked: Collection[Path] = ()
    away: Collection[Path] = ()
    """Files that are not there now."""
    preferred: Collection[str] = ()
    """Those that were the nearest in a list."""


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
        self._lines: list[tuple[int, Hit | None]] = []
        """The place of each line's recording, and the hit if there is one."""
        self._unfolded: frozenset[Path] = frozenset()
        """Recordings whose other files have lines, too."""
        self._old_ranks: Mapping[tuple[Path, str], int] | None = None
        self._draws = 0
        self.flags = Flags()

    @property
    def length(self) -> int:
        """Number of lines."""
        return len(self._lines)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks in order, one of each recording."""
        return self._tracks

    @property
    def track(self) -> Track | None:
        """The track under the cursor."""
        return self._track(self.cursor) if self._lines else None

    @property
    def hit(self) -> Hit | None:
        """The hit under the cursor; None in the library's own list."""
        return self._lines[self.cursor][1] if self._lines else None

    @property
    def rank(self) -> int:
        """The rank, from 1, of the recording under the cursor."""
        return self._lines[self.cursor][0] + 1 if self._lines else 0

    @property
    def recording(self) -> Path | None:
        """The best file of the recording under the cursor, if it was found by a query."""
        return self._tracks[self.rank - 1].path if self.hit else None

    @property
    def in_sight(self) -> tuple[Path, ...]:
        """The best file of every recording found that has a line in sight, in order."""
        top = self.scroll_offset.y
        lines = self._lines[top : top + self.scrollable_content_region.height]
        return tuple(dict.fromkeys(self._tracks[at].path for at, hit in lines if hit))

    def moment(self, row: int) -> tuple[Path, float] | None:
        """Where the track of a row is played from; None where there is no such row."""
        if not 0 <= row < len(self._lines):
            return None
        hit = self._lines[row][1]
        return self._track(row).path, hit.start_s if hit else 0.0

    def show_tracks(self, tracks: tuple[Track, ...]) -> None:
        """List tracks without a query."""
        self._tracks, self._hits, self._old_ranks = tracks, (), None
        self._lines = [(row, None) for row in range(len(tracks))]
        self.filled(self.cursor)

    def show_results(self, results: Results, before: Results | None, keep: Path | None) -> None:
        """List hits; the cursor goes to `keep`, or stays on its line if `keep` is gone."""
        self._hits = results.hits
        self._tracks = tuple(hit.track for hit in results.hits)
        query = results.query
        drawn = len(query.vectors) or query.steering.draws
        self._draws = drawn if query.steering.worded else 0
        self._old_ranks = ranks(before) if before else None
        self._lay_out()
        if not keep:
            self.filled(0)
        elif not self.go_to(keep):
            self.filled(self.cursor)

    def go_to(self, path: Path) -> bool:
        """Move the cursor to a track; False if it has no line."""
        for row in range(len(self._lines)):
            if self._track(row).path == path:
                self.filled(row)
                return True
        return False

    def turn_copies(self) -> bool:
        """Unfold or fold the copies of the recording under the cursor; False if it has none."""
        if not self._hits or not self._hits[self.rank - 1].copies:
            return False
        best = self._tracks[self.rank - 1].path
        self._unfolded ^= {best}
        self._lay_out()
        return self.go_to(best)

    def _lay_out(self) -> None:
        """A line for each recording, and for each copy of those that are unfolded."""
        self._lines = []
        for at, hit in enumerate(self._hits):
            self._lines.append((at, hit))
            if hit.track.path in self._unfolded:
                for copy in hit.copies:
                    self._lines.append((at, replace(hit, track=copy, copies=())))

    def _track(self, row: int) -> Track:
        at, hit = self._lines[row]
        return hit.track if hit else self._tracks[at]

    def show_flags(self, flags: Flags) -> None:
        """Show likes, bans and marks."""
        if flags != self.flags:
            self.flags = flags
            self.refresh()

    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """One track."""
        track, (at, hit) = self._track(row), self._lines[row]
        if hit and track is not self._tracks[at]:
            return self._copy(track, width)
        tail = self._tail(hit, track, width)
        head = [
            self._mark(track),
            (f"{at + 1:>3} ", "listing--dim"),
        ]
        if self._old_ranks is not None and hit:
            head.append(self._change(at + 1, hit))
        head.append(self._opinion(track.path))
        if hit and hit.copies:
            tail.insert(0, (f" {copies_note(hit.copies, short=width < 84)}", "listing--dim"))
        room = width - sum(len(text) for text, _ in head + tail)
        name, artist = literal(hit.name if hit else track.name), literal((hit or track).artist)
        away = track.path in self.flags.away
        if artist and room >= 36:
            split = room * 3 // 5
            return [*head, (fit(name, split - 2) + "  ", "listing--dim" if away else ""),
                    (fit(artist, room - split), "results--artist"), *tail]  # fmt: skip
        return [*head, (fit(name, room), "listing--dim" if away else ""), *tail]

    def _copy(self, track: Track, width: int) -> list[tuple[str, str]]:
        """A copy of the recording above: its format, and where it is."""
        form = f"{sound_format(track):>16}  "
        head = [self._mark(track), ("  └ ", "listing--dim"), self._opinion(track.path)]
        room = width - sum(len(text) for text, _ in head) - len(form)
        where = literal(from_home(track.path))
        while cell_len(where) > max(room, 1):  # the end of a path tells more than its beginning
            where = f"…{where[2:]}"
        return [*head, (form, "results--artist"), (fit(where, room), "")]

    def _mark(self, track: Track) -> tuple[str, str]:
        """Marked into the crate, or not."""
        return "┃" if track.path in self.flags.marked else " ", "results--marked"

    def _change(self, rank: int, hit: Hit) -> tuple[str, str]:
        """How the track moved: up, down, new or not at all."""
        old = (self._old_ranks or {}).get(place(hit))
        if old is None:
            return "★new ", "results--new"
        by = old - rank
        if by == 0:
            return "  ·  ", "listing--dim"
        return f"{'▲' if by > 0 else '▼'}{abs(by):<4}", f"results--{'up' if by > 0 else 'down'}"

    def _opinion(self, path: Path) -> tuple[str, str]:
        """Liked, banned, nearest of a list, not there now or none of these."""
        if str(path) in self.flags.liked:
            return "♥ ", "results--liked"
        if str(path) in self.flags.banned:
            return "⊘ ", "results--banned"
        if str(path) in self.flags.preferred:
            return "≈ ", "results--liked"
        return ("∅ ", "listing--dim") if path in self.flags.away else ("  ", "")

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
        votes = f"{hit.votes}/{self._draws}" if self._draws else ""
        return [*tail, (f" {votes:>5} ", "listing--dim")] if width >= 56 else [*tail, (" ", "")]
