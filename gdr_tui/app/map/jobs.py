"""The map is computed on threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from gdr_model.types import Cancel, never
from gdr_tui.app.map.messages import CourseRead, MapProgressed, MapRead
from gdr_tui.app.map.points import Course, Mapped
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.trail.trail import Node


class Maps(Protocol):
    """The part of a session that projects the library to the plane."""

    def map(
        self,
        show: Callable[[Mapped], object],
        report: Callable[[float], object] = lambda _: None,
        cancelled: Cancel = never,
    ) -> None:
        """Project every track and show it; where that takes long, first a quick projection."""

    def course(self, mapped: Mapped, node: Node) -> Course:
        """Where a query was drawn, and the path that the trail took to it."""


class MapJobs:
    """Starts the computing of maps."""

    def __init__(self, tasks: Tasks, mapper: Maps) -> None:
        self._tasks = tasks
        self._mapper = mapper

    def map(self) -> None:
        """Project the library to the plane."""
        self._tasks.guard("map", self._map, "map")

    def course(self, mapped: Mapped, node: Node) -> None:
        """Find where a query is on the map, and the path to it."""
        self._tasks.guard("course", partial(self._course, mapped, node), "map")

    def _map(self, cancelled: Cancel) -> None:
        self._mapper.map(
            lambda mapped: self._tasks.post(MapRead(mapped)),
            lambda share: self._tasks.post(MapProgressed(share)),
            cancelled,
        )

    def _course(self, mapped: Mapped, node: Node, _cancelled: Cancel) -> None:
        self._tasks.post(CourseRead(node.number, self._mapper.course(mapped, node)))
