"""What liking and banning do: the list is ranked again at once, and drawn again when asked."""

from __future__ import annotations

from textual import on

from gdr_model.types import PULL
from gdr_tui.app.main.search_screen import SearchScreen
from gdr_tui.app.search.empty import is_filtered, nothing_found
from gdr_tui.app.search.messages import ConditionsCounted


class JudgingScreen(SearchScreen):
    """The search screen with opinions about what it found.

    Likes and bans move the points that are drawn already, so the answer is there before a key
    could be pressed again, and it is exact: the same steering gives the same list anywhere.
    Drawing again lets them act inside the sampler, too (`Steering.pull`).
    """

    def action_like(self) -> None:
        """Rank towards the chosen track, or no more."""
        if track := self.results.track:
            self.asking.draft.like(track.path)
            self._judged()

    def action_ban(self) -> None:
        """Leave the chosen track out and rank away from it, or no more."""
        if track := self.results.track:
            self.asking.draft.ban(track.path)
            self._judged()

    def action_draw(self) -> None:
        """Ask what is drafted; where that was answered, draw under likes and bans."""
        draft, node = self.asking.draft, self.asking.trail.current
        steering = draft.steering
        judged = steering.likes or steering.dislikes
        if node and judged and not steering.pull and draft.answered_by(node.ask):
            draft.steer(pull=PULL)
        self._ask()

    def _judged(self) -> None:
        self.draw_status()
        if self.has_words:
            self._ask()

    # Why nothing is left

    def _show_node(self, *, keep: bool) -> None:
        """Count what each condition of a filter lets through that left nothing."""
        super()._show_node(keep=keep)
        node = self.asking.trail.current
        if node and is_filtered(node.results):
            self._jobs.search.count_conditions(node.ask.where)

    @on(ConditionsCounted)
    def show_counts(self, counted: ConditionsCounted) -> None:
        """Say which condition is to blame, if the list is still empty for it."""
        node = self.asking.trail.current
        if node and node.ask.where == counted.where and not node.results.hits:
            self.results.empty = nothing_found(node, counted.counts)
            self.results.refresh()
