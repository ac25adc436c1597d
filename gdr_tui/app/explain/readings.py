"""Where the draws disagree, each reading of the words has a list of its own."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from textual import on
from textual.content import Content

from gdr_model.types import Reading, Results
from gdr_tui.app import keys, messages
from gdr_tui.app.explain.tabs import ReadingTabs, named
from gdr_tui.app.main.search_screen import SearchScreen
from gdr_tui.app.trail.trail import Ask, Node


class ReadingScreen(SearchScreen):
    """The search screen with the readings of what was asked."""

    def on_mount(self) -> None:
        """Nothing is known of any query."""
        self._readings: WeakKeyDictionary[Node, messages.ReadingsFound] = WeakKeyDictionary()
        self._at = 0
        """Which reading is listed; 0 is all draws together."""
        self._shown: Ask | None = None
        used = keys.remapped(self._settings.keys).keys
        default = next(b.key for b in keys.SEARCH if b.id == "search.reading")
        self.query_one(ReadingTabs).key = keys.shown(used.get("search.reading", default))

    @property
    def found(self) -> Results | None:
        """What the list shows: one reading, or what all draws found."""
        reading = self._reading
        return reading.results if reading else super().found

    @property
    def _reading(self) -> Reading | None:
        known = self._known_readings()
        return known[self._at - 1] if 0 < self._at <= len(known) else None

    def _known_readings(self) -> tuple[Reading, ...]:
        """The readings of the query shown, if they were found for the results it has now."""
        node = self.asking.trail.current
        known = self._readings.get(node) if node else None
        return known.readings if node and known and known.results is node.results else ()

    def _show_node(self, *, keep: bool) -> None:
        """Show all draws, or the reading that was listed where the query is the same."""
        node = self.asking.trail.current
        if node is None:
            return
        if node.ask != self._shown:
            self._at, self._shown = 0, node.ask
        super()._show_node(keep=keep)
        known, results = self._readings.get(node), node.results
        fresh = known is None or known.results is not results
        if fresh and results.hits and len(results.query.vectors) > 1:
            self._jobs.readings(results, self._settings.results, node.ask.where)
        self._show_reading()

    @on(messages.ReadingsFound)
    def take_readings(self, found: messages.ReadingsFound) -> None:
        """Keep the readings of the query shown; stale ones are dropped."""
        node = self.asking.trail.current
        if node and node.results is found.results:
            self._readings[node] = found
            self._show_reading()

    def action_reading(self) -> None:
        """The next reading, and after the last all draws together."""
        known = self._known_readings()
        if known:
            self.pick_reading(ReadingTabs.Picked((self._at + 1) % (len(known) + 1)))
        elif self.asking.trail.current:
            self.say("the draws agree: these words have one reading")
        else:
            self.say("there is nothing to read in several ways: search first")

    @on(ReadingTabs.Picked)
    def pick_reading(self, picked: ReadingTabs.Picked) -> None:
        """List another reading."""
        self._at = picked.at
        if self._at == 0:
            super()._show_node(keep=True)
        self._show_reading()

    def _show_reading(self) -> None:
        """Draw the tabs, and the list of the reading chosen."""
        node, reading = self.asking.trail.current, self._reading
        self.query_one(ReadingTabs).show(self._known_readings(), self._at if reading else 0)
        if node is None or reading is None:
            return
        kept = self.results.track.path if self.results.track else None
        found = reading.results
        count = f"results · {len(found.hits):,} of {found.tracks_searched:,}"
        # Content, because a tag is never markup.
        self.results.border_title = Content(f"{count} · as {named(reading)}")
        self.results.show_results(found, node.results, kept)
