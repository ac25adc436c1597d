"""One of two lists side by side, marked with what came, went and moved between them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from gdr_model.types import Hit, Results
from gdr_tui.app.trail.trail import place, ranks
from gdr_tui.app.ui.listing import Listing
from gdr_tui.safe_text import fit, literal


class DifferenceList(Listing, can_focus=False):
    """A list shown next to another; nothing is chosen from it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"results--up", "results--down", "results--new"}

    def __init__(self, *, new: bool, id: str) -> None:
        super().__init__(id=id)
        self._new = new
        self._hits: tuple[Hit, ...] = ()
        self._others: Mapping[tuple[Path, str], int] | None = None

    @property
    def length(self) -> int:
        """How many tracks are listed."""
        return len(self._hits)

    def show(self, results: Results | None, other: Results | None) -> None:
        """List hits, marked against those of the other list if there are any."""
        self._hits = results.hits if results else ()
        self._others = ranks(other) if other else None
        self.filled(0)

    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """Rank, track, and its place in the other list."""
        hit = self._hits[row]
        rank = (f"{row + 1:>3} ", "listing--dim")
        mark = self._mark(row + 1, hit)
        score = (f" {hit.score:5.2f} ", "listing--dim")
        room = width - len(rank[0]) - len(mark[0]) - len(score[0])
        by = f" · {literal(hit.artist)}" if hit.artist else ""
        return [rank, mark, (fit(literal(hit.name) + by, room), ""), score]

    def _mark(self, rank: int, hit: Hit) -> tuple[str, str]:
        if self._others is None:
            return "     ", ""
        other = self._others.get(place(hit))
        if other is None:
            return ("★new ", "results--new") if self._new else ("✕out ", "results--down")
        if other == rank:
            return "  ·  ", "listing--dim"
        rises = other > rank if self._new else other < rank
        return f"{'▲' if rises else '▼'}{abs(other - rank):<4}", (
            "results--up" if rises else "results--down"
        )
