"""The two lists of the crates screen: the crates, and the tracks of one."""

from __future__ import annotations

from typing import ClassVar

from gdr_model.notebook.crates import CrateTrack
from gdr_tui.app.crates.state import CrateShelf
from gdr_tui.app.ui.listing import Listing
from gdr_tui.safe_text import clock, fit, literal


class CrateList(Listing):
    """Every crate with its number of tracks; ● is the one that marks go to."""

    BORDER_TITLE = "crates"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"crates--chosen"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._rows: list[tuple[str, int]] = []
        self._chosen = ""
        self.empty = ("no crates yet", "n makes one, and so", "does m in the results")

    @property
    def length(self) -> int:
        """How many crates there are."""
        return len(self._rows)

    @property
    def crate(self) -> str:
        """The crate under the cursor; "" if there is none."""
        return self._rows[self.cursor][0] if self._rows else ""

    def show(self, shelf: CrateShelf, at: str) -> None:
        """List the crates; the cursor goes to `at`, or stays on its line if `at` is gone."""
        self._rows = [(name, len(shelf.tracks(name))) for name in shelf.names]
        self._chosen = shelf.chosen
        places = {name: row for row, (name, _) in enumerate(self._rows)}
        self.filled(places.get(at, self.cursor))

    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """One crate."""
        name, count = self._rows[row]
        tail = f" {count:,} "
        return [
            (" ● " if name == self._chosen else "   ", "crates--chosen"),
            (fit(literal(name), width - 3 - len(tail)), ""),
            (tail, "listing--dim"),
        ]


class CrateTrackList(Listing):
    """The tracks of a crate in its order, with the words that found each."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"results--artist"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._tracks: tuple[CrateTrack, ...] = ()
        self.empty = ("empty", "m in the results adds a track")

    @property
    def length(self) -> int:
        """How many tracks there are."""
        return len(self._tracks)

    @property
    def track(self) -> CrateTrack | None:
        """The track under the cursor."""
        return self._tracks[self.cursor] if self._tracks else None

    def show(self, tracks: tuple[CrateTrack, ...]) -> None:
        """List the tracks; the cursor stays on its line."""
        self._tracks = tracks
        self.filled(self.cursor)

    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """One track."""
        track = self._tracks[row]
        tail = f" {clock(track.duration_s):>7} "
        room = width - 4 - len(tail)
        name, artist = literal(track.name), literal(track.artist)
        words = f"“{literal(track.prompt)}”" if track.prompt else ""
        shares = [(name, "", 5)]
        if artist and room >= 30:
            shares.append((artist, "results--artist", 3))
        if words and room >= 44:
            shares.append((words, "listing--dim", 3))
        parts = sum(share for _, _, share in shares)
        pieces = [(f"{row + 1:>3} ", "listing--dim")]
        for text, style, share in shares[:-1]:
            cells = room * share // parts
            pieces.append((fit(text, cells - 1) + " ", style))
        left = width - len(tail) - 4 - sum(room * share // parts for _, _, share in shares[:-1])
        return [*pieces, (fit(shares[-1][0], left), shares[-1][1]), (tail, "listing--dim")]
