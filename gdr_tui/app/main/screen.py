"""What the keys do on the search screen."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.actions import SkipAction
from textual.binding import BindingType
from textual.widgets import Input

from gdr_tui.app import keys
from gdr_tui.app.edit.panel import EditingScreen
from gdr_tui.app.explain.interpretations import InterpretationScreen
from gdr_tui.app.explain.why import WhyScreen
from gdr_tui.app.library.keys import LibraryKeys
from gdr_tui.app.map.keys import MapKeys
from gdr_tui.app.search.draft import GUIDANCE_STEP
from gdr_tui.app.search.likes import JudgingScreen
from gdr_tui.app.search.prompting import PromptingScreen
from gdr_tui.app.trail.keys import TrailKeys
from gdr_tui.app.trail.list import TrailList
from gdr_tui.app.ui.ask import FilterScreen
from gdr_tui.app.ui.listing import Listing


class MainScreen(
    InterpretationScreen,
    PromptingScreen,
    TrailKeys,
    JudgingScreen,
    WhyScreen,
    EditingScreen,
    LibraryKeys,
    MapKeys,
):
    """The search screen with its keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*keys.ALL, *keys.AT_ONCE]

    # Moving about

    async def action_at_once(self, action: str) -> None:
        """An action that moves the focus, unless its key is a letter of what is being typed."""
        if isinstance(self.focused, Input):
            raise SkipAction
        await self.run_action(action)

    def action_focus_prompt(self) -> None:
        """Type the prompt."""
        self.set_focus(self.query_one("#prompt"))

    def action_negative(self) -> None:
        """Type a negative."""
        box = self.query_one("#negative", Input)
        box.display = True
        self.set_focus(box)

    @on(Input.Blurred, "#negative")
    def leave_negative(self, event: Input.Blurred) -> None:
        """The box is there only while it is typed in."""
        event.input.display = False

    def action_move(self, by: int) -> None:
        """Move in the list that has the focus, else in the results."""
        focused = self.focused
        (focused if isinstance(focused, Listing) else self.results).move(by)

    def action_enter(self) -> None:
        """Go to the trail's query under the cursor, or ask what is drafted."""
        trail = self.query_one(TrailList)
        if trail.has_focus:
            self.go_to_chosen()
        else:
            self.action_draw()

    # Steering

    def action_reroll(self) -> None:
        """Another seed."""
        self.asking.draft.steer(seed=self.asking.trail.unused_seed())
        if self.has_words:
            self._ask()
        self.draw_status()

    def action_guidance(self, sign: int) -> None:
        """Follow the words harder or more freely."""
        if self.asking.draft.turn_guidance(sign * GUIDANCE_STEP):
            self.changed()

    def action_unchip(self) -> None:
        """Take away the chip at the right end."""
        if chips := self.asking.draft.chips():
            self.asking.draft.remove(chips[-1])
            self.changed()

    def action_filter(self) -> None:
        """Say which tracks may answer."""

        def take(where: str | None) -> None:
            if where is not None and where != self.asking.draft.where:
                self.asking.draft.where = where
                self.changed()

        self.app.push_screen(FilterScreen(self.asking.draft.where, self._check_filter), take)

    # Results out of here

    def action_copy(self) -> None:
        """Copy the path of the chosen track."""
        track = self.results.track
        if track is None:
            return
        try:
            self.app.copy_to_clipboard(str(track.path))
        except UnicodeEncodeError:
            self.say("this path is not valid UTF-8, so a clipboard cannot hold it", problem=True)
            return
        self.say("copied the path, if the terminal allows it (OSC 52)")
