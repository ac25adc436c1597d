"""What the key of the map does: compute it, keep it drawn while queries change, go to a track."""

from __future__ import annotations

from pathlib import Path

from textual import on

from gdr_model.types import Hit, Track
from gdr_tui.app import messages
from gdr_tui.app.crates.keys import CrateKeys, crate_track
from gdr_tui.app.map.messages import CourseRead, MapProgressed, MapRead
from gdr_tui.app.map.points import Mapped
from gdr_tui.app.map.screen import MapScreen


class MapKeys(CrateKeys):
    """The search screen with the map of the library."""

    _map: MapScreen | None = None
    _mapped: Mapped | None = None

    def action_map(self) -> None:
        """See the library as a map."""
        if not self.asking.has_model:
            self.say("the map needs the model, which is still loading")
            return
        at = self.results.track.path if self.results.track else None

        def play(track: Track) -> None:
            hit = self._hit_of(track.path)
            self.playback.toggle(track.path, hit.start_s if hit else 0.0)

        def mark(track: Track) -> None:
            into = self.shelf.toggle(crate_track(track, self._hit_of(track.path), self._prompt()))
            self.say(f"{track.name} is {'in' if into else 'out of'} “{self.shelf.chosen}”")
            self.draw_status()

        def begin(screen: MapScreen) -> None:
            self._map = screen
            self._jobs.map.map()

        screen = MapScreen(play, mark, begin, at, shapes=self.app.no_color)
        self.app.push_screen(screen, self._go_to)

    def _go_to(self, track: Track | None) -> None:
        """Stand on a track of the list; one that is not listed is liked, and so comes near."""
        self._map = None
        if track is None:
            return
        self.results.focus()
        for row, listed in enumerate(self.results.tracks):
            if listed.path == track.path:
                self.results.cursor = row
                return
        if str(track.path) not in self.asking.draft.steering.likes:
            self.asking.draft.like(track.path)
        self.draw_status()
        if self.has_words:
            self.say(f"more like {track.name}")
            self._ask()
        else:
            self.say(f"{track.name} is liked; type words, and Enter finds more like it")

    @on(MapRead)
    def show_map(self, read: MapRead) -> None:
        """Draw the map, and the query on it."""
        self._mapped = read.mapped
        if self._map:
            self._map.show(read.mapped)
            self._show_query()

    @on(messages.IndexFinished)
    def renew_map(self, finished: messages.IndexFinished) -> None:
        """Let what was indexed onto a map that is open."""
        if self._map and (finished.indexed.encoded or finished.indexed.gone):
            self._jobs.map.map()

    @on(MapProgressed)
    def show_map_progress(self, progress: MapProgressed) -> None:
        """Say how far a better map is."""
        if self._map:
            self._map.show_share(progress.share)

    @on(CourseRead)
    def show_course(self, read: CourseRead) -> None:
        """Draw what was drawn and the way there, if the trail still stands on it."""
        node = self.asking.trail.current
        if self._map and node and node.number == read.number:
            self._map.show_query(self._prompt(), self._listed(), read.course)

    @on(messages.WentWrong)
    def show_no_map(self, wrong: messages.WentWrong) -> None:
        """Say in the map's own place why there is none."""
        if self._map and wrong.about == "map":
            self._map.refuse(wrong.sentence)

    def _show_node(self, *, keep: bool) -> None:
        """Draw the query on the map, too."""
        super()._show_node(keep=keep)
        if self._map:
            self._show_query()

    def _show_query(self) -> None:
        """Number the results at once; what was drawn follows."""
        node = self.asking.trail.current
        if self._map and self._mapped and node:
            self._map.show_query(self._prompt(), self._listed(), None)
            self._jobs.map.course(self._mapped, node)

    def _listed(self) -> tuple[Path, ...]:
        return tuple(hit.track.path for hit in self.found.hits) if self.found else ()

    def _prompt(self) -> str:
        node = self.asking.trail.current
        return node.ask.steering.prompt if node else ""

    def _hit_of(self, path: Path) -> Hit | None:
        """What the current query found in a track, if it did."""
        hits = self.found.hits if self.found else ()
        return next((hit for hit in hits if hit.track.path == path), None)
