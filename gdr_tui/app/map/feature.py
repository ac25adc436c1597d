"""The map on the screen: compute it, keep it up to date while queries change, go to a track."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from textual.message import Message

from gdr_model.types import Hit, Track
from gdr_tui.app.feature import Host
from gdr_tui.app.map.jobs import MapJobs
from gdr_tui.app.map.messages import CourseRead, MapProgressed, MapRead
from gdr_tui.app.map.points import Course
from gdr_tui.app.map.screen import MapScreen
from gdr_tui.app.map.state import MapState
from gdr_tui.app.messages import IndexFinished, WentWrong
from gdr_tui.app.trail.trail import Node


class MapFeature:
    """Opens the map and hands it what is computed."""

    def __init__(
        self,
        host: Host,
        jobs: MapJobs,
        play: Callable[[Path, float], object],
        mark: Callable[[Track, Hit | None], str],
        go_to: Callable[[Track], object],
    ) -> None:
        """Compute nothing yet.

        Args:
            host: the main screen.
            jobs: compute on threads.
            play: plays a file from a second on, or pauses it.
            mark: adds a track to the crate or removes it; returns a sentence about it.
            go_to: moves to a track in the list of results.
        """
        self._host = host
        self._jobs = jobs
        self._play = play
        self._mark = mark
        self._go_to = go_to
        self._screen: MapScreen | None = None
        self.state = MapState()

    def show(self, node: Node, *, keep: bool) -> None:
        """Show the query on a map that is open."""
        self._show_query(node)

    def take(self, message: Message) -> None:
        """Show what was computed; compute it again where the library has changed."""
        match message:
            case MapRead():
                self.state.mapped = message.mapped
                if self._screen:
                    self._screen.show(message.mapped)
                    self._show_query(self._host.node)
            case MapProgressed() if self._screen:
                self._screen.show_share(message.share)
            case CourseRead():
                self._show_course(message)
            case IndexFinished() if self._screen:
                if message.indexed.encoded or message.indexed.gone:
                    self._jobs.map()
            case WentWrong(about="map") if self._screen:
                self._screen.refuse(message.sentence)

    def action_map(self) -> None:
        """Show the library as a map."""
        if not self._host.has_model:
            self._host.say("the map needs the model, which is still loading")
            return
        track = self._host.rows.track

        def play(track: Track) -> None:
            hit = self._hit_of(track)
            self._play(track.path, hit.start_s if hit else 0.0)

        def mark(track: Track) -> None:
            self._host.say(self._mark(track, self._hit_of(track)))

        def begin(screen: MapScreen) -> None:
            self._screen = screen
            self._jobs.map()

        def closed(track: Track | None) -> None:
            self._screen = None
            if track:
                self._go_to(track)

        self._host.open(MapScreen(play, mark, begin, track.path if track else None), closed)

    def _show_query(self, node: Node | None) -> None:
        """Number the results at once; the draws follow."""
        if self._show_on_map(node) and self.state.mapped and node:
            self._jobs.course(self.state.mapped, node)

    def _show_course(self, read: CourseRead) -> None:
        """Show the draws and the path to them, if the query is still current."""
        node = self._host.node
        if node and node.number == read.number:
            self._show_on_map(node, read.course)

    def _show_on_map(self, node: Node | None, course: Course | None = None) -> bool:
        query = self.state.query(node, self._host.listed, course)
        if self._screen is None or query is None:
            return False
        self._screen.show_query(query)
        return True

    def _hit_of(self, track: Track) -> Hit | None:
        """The hit of the current query in a track, if there is one."""
        listed = self._host.listed
        hits = listed.hits if listed else ()
        return next((hit for hit in hits if hit.track.path == track.path), None)
