"""Where the draws disagree, each interpretation of the words has a list of its own."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from textual import on
from textual.content import Content

from gdr_model.types import Interpretation, Results
from gdr_tui.app import keys
from gdr_tui.app.explain.messages import InterpretationsFound
from gdr_tui.app.explain.tabs import InterpretationTabs, named
from gdr_tui.app.main.search_screen import SearchScreen
from gdr_tui.app.trail.trail import Ask, Node


class InterpretationScreen(SearchScreen):
    """The search screen with the interpretations of what was asked."""

    def on_mount(self) -> None:
        """Nothing is known of any query."""
        self._interpretations: WeakKeyDictionary[Node, InterpretationsFound] = WeakKeyDictionary()
        self._at = 0
        """Which interpretation is listed; 0 is all draws together."""
        self._shown: Ask | None = None
        used = keys.remapped(self._settings.keys).keys
        default = next(b.key for b in keys.SEARCH if b.id == "search.interpretation")
        self.query_one(InterpretationTabs).key = keys.shown(
            used.get("search.interpretation", default)
        )

    @property
    def found(self) -> Results | None:
        """What the list shows: one interpretation, or what all draws found."""
        interpretation = self._interpretation
        return interpretation.results if interpretation else super().found

    @property
    def _interpretation(self) -> Interpretation | None:
        known = self._known_interpretations()
        return known[self._at - 1] if 0 < self._at <= len(known) else None

    def _known_interpretations(self) -> tuple[Interpretation, ...]:
        """The interpretations of the query shown, if they were found for the results it has now."""
        node = self.asking.trail.current
        known = self._interpretations.get(node) if node else None
        return known.interpretations if node and known and known.results is node.results else ()

    def _show_node(self, *, keep: bool) -> None:
        """Show all draws, or the interpretation that was listed where the query is the same."""
        node = self.asking.trail.current
        if node is None:
            return
        if node.ask != self._shown:
            self._at, self._shown = 0, node.ask
        super()._show_node(keep=keep)
        known, results = self._interpretations.get(node), node.results
        fresh = known is None or known.results is not results
        if fresh and results.hits and len(results.query.vectors) > 1:
            self._jobs.explain.interpretations(results, self._settings.results, node.ask.where)
        self._show_interpretation()

    @on(InterpretationsFound)
    def take_interpretations(self, found: InterpretationsFound) -> None:
        """Keep the interpretations of the query shown; stale ones are dropped."""
        node = self.asking.trail.current
        if node and node.results is found.results:
            self._interpretations[node] = found
            self._show_interpretation()

    def action_interpretation(self) -> None:
        """The next interpretation, and after the last all draws together."""
        known = self._known_interpretations()
        if known:
            self.pick_interpretation(InterpretationTabs.Picked((self._at + 1) % (len(known) + 1)))
        elif self.asking.trail.current:
            self.say("the draws agree: these words have one interpretation")
        else:
            self.say("there is nothing to read in several ways: search first")

    @on(InterpretationTabs.Picked)
    def pick_interpretation(self, picked: InterpretationTabs.Picked) -> None:
        """List another interpretation."""
        self._at = picked.at
        if self._at == 0:
            super()._show_node(keep=True)
        self._show_interpretation()

    def _show_interpretation(self) -> None:
        """Draw the tabs, and the list of the interpretation chosen."""
        node, interpretation = self.asking.trail.current, self._interpretation
        self.query_one(InterpretationTabs).show(
            self._known_interpretations(), self._at if interpretation else 0
        )
        if node is None or interpretation is None:
            return
        kept = self.results.track.path if self.results.track else None
        found = interpretation.results
        count = f"results · {len(found.hits):,} of {found.tracks_searched:,}"
        # Content, because a tag is never markup.
        self.results.border_title = Content(f"{count} · as {named(interpretation)}")
        self.results.show_results(found, node.results, kept)
