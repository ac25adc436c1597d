"""What happens around the prompt line: its signs become chips, and chips can be worked with."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.widgets import Input

from gdr_model.errors import UsageError
from gdr_tui.app import messages
from gdr_tui.app.main.search_screen import SearchScreen
from gdr_tui.app.search.chips import Chips
from gdr_tui.app.search.completion import Known, complete
from gdr_tui.app.search.history import History
from gdr_tui.app.search.prompt import Completions, PromptBox
from gdr_tui.app.search.syntax import parse


class PromptingScreen(SearchScreen):
    """The search screen with a prompt line that completes itself."""

    def on_mount(self) -> None:
        """Read the prompts asked before."""
        self._tags: messages.TagsRead | None = None
        self.history = History()
        self.history.load()

    # The line

    def take_prompt(self) -> None:
        """Let the draft take over what stands in the prompt line.

        Raises:
            UsageError: if it cannot be meant.
        """
        box = self.query_one(PromptBox)
        if box.value != self.asking.draft.prompt:
            self.asking.draft.take(parse(box.value), self._track_at)
            box.put(self.asking.draft.prompt)

    @on(Input.Submitted, "#prompt")
    def search(self, event: Input.Submitted) -> None:
        """Ask, and go to the results."""
        self.completions.close()
        if self._ask():
            self.history.add(event.value)
            self.results.focus()

    def _track_at(self, rank: int) -> Path | None:
        tracks = self.results.tracks
        return tracks[rank - 1].path if 1 <= rank <= len(tracks) else None

    # Completion

    @property
    def completions(self) -> Completions:
        """What is offered under the line."""
        return self.query_one(Completions)

    @on(messages.TagsRead)
    def know_tags(self, read: messages.TagsRead) -> None:
        """Complete with the library's own tags from now on."""
        self._tags = read

    @on(Input.Changed, "#prompt")
    def offer(self, event: Input.Changed) -> None:
        """Offer what the line may go on with."""
        typed = event.value
        self.completions.offer(typed, complete(typed, self._known()) if typed.strip() else [])

    @on(PromptBox.Walked)
    def walk(self, walked: PromptBox.Walked) -> None:
        """Put the next of what is offered into the line; an empty line is offered suggestions."""
        offered, box = self.completions, self.query_one(PromptBox)
        if not offered.open:
            offered.offer(box.value, complete(box.value, self._known()))
        if offered.open:
            box.put(offered.walk(walked.by))

    @on(PromptBox.Completed)
    def complete_line(self) -> None:
        """Take the line walked to, else the first one; the next Tab leads on."""
        offered, box = self.completions, self.query_one(PromptBox)
        if not offered.open or not box.value.strip():
            self.focus_next()
            return
        if not offered.walking:
            box.put(offered.walk(1))
        offered.close()

    @on(Completions.Picked)
    def pick(self, picked: Completions.Picked) -> None:
        """Put a clicked line in."""
        self.query_one(PromptBox).put(picked.line)
        self.completions.close()
        self.query_one(PromptBox).go_on()

    @on(Input.Blurred, "#prompt")
    def close_completions(self) -> None:
        """Nothing is offered while the line is left alone."""
        self.completions.close()

    def action_focus_results(self) -> None:
        """Take back what was put in, else leave what is being typed."""
        if self.completions.open:
            self.query_one(PromptBox).put(self.completions.typed)
            self.completions.close()
        else:
            self.results.focus()

    def _known(self) -> Known:
        tags = self._tags
        words = tags.words if tags else ()
        return Known(self.history.prompts, tags.tags if tags else {}, words)

    # Chips

    @on(Chips.Removed)
    def remove_chip(self, removed: Chips.Removed) -> None:
        """Take a chip away."""
        self.asking.draft.remove(removed.chip)
        self.changed()
        if not self.asking.draft.chips() and self.query_one(Chips).has_focus:
            self.results.focus()

    @on(Chips.Weighed)
    def weigh_chip(self, weighed: Chips.Weighed) -> None:
        """Let a chip weigh more or less."""
        if self.asking.draft.weigh(weighed.chip, weighed.by):
            self.changed()
        elif weighed.chip.kind in ("filter", "like", "ban"):
            self.say(f"a {weighed.chip.kind} has no weight; it holds or it does not")

    @on(Chips.Changed)
    async def change_chip(self, changed: Chips.Changed) -> None:
        """Type a chip anew: words in the line, a filter and an edit in their own places."""
        chip, draft = changed.chip, self.asking.draft
        if chip.kind == "filter":
            await self.run_action("filter")
        elif chip.kind == "edit":
            await self.run_action("edit_again")
        elif chip.kind in ("negative", "slider"):
            sign = "-" if chip.kind == "negative" else "+"
            weighted = {n.text: n.weight for n in draft.steering.negatives}
            weighted |= {s.text: s.amount for s in draft.steering.sliders}
            words = f'"{chip.key}"' if " " in chip.key else chip.key
            draft.remove(chip)
            self.query_one(PromptBox).put(
                f"{draft.prompt} {sign}{words}:{weighted[chip.key]:g}".strip()
            )
            self.query_one(PromptBox).go_on()
            self.draw_status()
        elif chip.kind == "pull":
            self.say("+ and - say how hard likes and bans act while drawing")
        else:
            self.say(f"a {chip.kind} holds or it does not; x takes it away")

    def _ask(self) -> bool:
        try:
            self.take_prompt()
        except UsageError as error:
            self.settle()
            self.say(str(error), problem=True)
            return False
        return super()._ask()
