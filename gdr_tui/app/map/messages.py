"""What threads report about the map."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from gdr_tui.app.map.points import Course, Mapped
from gdr_tui.app.messages import Report


@dataclass
class MapRead(Report):
    """The map of the library."""

    mapped: Mapped


@dataclass
class MapProgressed(Report):
    """How far a better projection is."""

    share: float

    def can_replace(self, message: Message) -> bool:
        """A later share supersedes an earlier one."""
        return isinstance(message, MapProgressed)


@dataclass
class CourseRead(Report):
    """Where a query of the trail was drawn, and the path to it."""

    number: int
    """The query's place in the trail."""
    course: Course
