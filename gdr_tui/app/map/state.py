"""The map that was computed last, and what is shown on it of a query."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gdr_model.types import Results
from gdr_tui.app.map.points import Course, Mapped
from gdr_tui.app.trail.trail import Node
from gdr_tui.labels import asked_for


@dataclass(frozen=True)
class QueryOnMap:
    """A query as the map shows it."""

    prompt: str
    results: tuple[Path, ...]
    """The tracks it found, best first."""
    course: Course | None = None
    """Where it was drawn, once that is known."""


class MapState:
    """What the map shows."""

    def __init__(self) -> None:
        self.mapped: Mapped | None = None

    def query(
        self, node: Node | None, listed: Results | None, course: Course | None = None
    ) -> QueryOnMap | None:
        """The query shown, on the map there is; None without query or map."""
        if self.mapped is None or node is None:
            return None
        paths = tuple(hit.track.path for hit in listed.hits) if listed else ()
        return QueryOnMap(asked_for(node.ask.steering), paths, course)
