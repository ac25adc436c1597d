"""Searching on the screen: prompt, negatives, chips, filter, likes and bans, and the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from gdr_model.errors import UsageError
from gdr_model.steering import PULL
from gdr_model.types import Track
from gdr_tui.app.feature import Host
from gdr_tui.app.messages import ModelReady, ModelReplaced, TracksArrived, WentWrong
from gdr_tui.app.search.filter_dialog import FilterDialog
from gdr_tui.app.search.found import Found
from gdr_tui.app.search.jobs import SearchJobs
from gdr_tui.app.search.messages import SearchAnswered, SearchRefused
from gdr_tui.app.search.prompt import PromptBox
from gdr_tui.app.search.prompt_line import PromptLine
from gdr_tui.app.search.queries import Queries
from gdr_tui.app.search.results import Flags, ResultsList
from gdr_tui.app.search.row.chips import Chips
from gdr_tui.app.search.row.hints import RowHints
from gdr_tui.app.search.typing.list import TypedList
from gdr_tui.app.search.typing.preview import TypedPreview
from gdr_tui.app.settings import Settings
from gdr_tui.app.trail.trail import Ask, Node, Trail
from gdr_tui.app.ui.box import Box
from gdr_tui.labels import Chip

SETTLE_S = 0.35
"""Turning the spread or weighing a chip asks once this long after the last key."""


class SearchFeature:
    """Puts queries together, asks them, and lists what they find.

    Likes and bans move the points that are drawn already, so the answer is there before a key
    could be pressed again, and it is exact: the same steering gives the same list anywhere.
    Drawing again lets them act inside the sampler, too (`Steering.pull`).
    """

    def __init__(
        self,
        host: Host,
        jobs: SearchJobs,
        trail: Trail,
        settings: Settings,
        before_asking: Callable[[], object],
        change_edit: Callable[[], object],
    ) -> None:
        """Ask nothing yet.

        Args:
            host: the main screen.
            jobs: draw on a thread.
            trail: where answers are kept.
            settings: guidance, steps, draws and how many results.
            before_asking: cancels what a query would have to wait for.
            change_edit: opens the edit that is drafted.
        """
        self._host = host
        self._jobs = jobs
        self._change_edit = change_edit
        self._settling: Timer | None = None
        self.state = Queries(jobs, trail, settings, before_asking)
        self.prompt = PromptLine()
        self.chips = Chips(id="chips")
        self._hints = RowHints(settings.keys)
        self.negative = Box(placeholder="what to avoid, such as drums or drums:1.5",
                            id="negative", compact=True)  # fmt: skip
        self.negative.display = False
        self.found = Found(host, jobs)
        self.results = self.found.list
        self.typed = TypedPreview(
            host, jobs.previews, self.prompt, self.state, self.found.path, settings
        )

    def show(self, node: Node, *, keep: bool) -> None:
        """List the results of a query."""
        self.found.show(node, keep=keep)
        self._host.refresh_status()

    def take(self, message: Message) -> None:
        """Act on inputs, chips and answers."""
        self.prompt.take(message)
        self.found.take(message)
        self.typed.take(message)
        match message:
            case Input.Submitted(input=self.prompt.box):
                self._submit(message.value)
            case TypedList.Clicked():
                self._submit(self.prompt.box.value)
            case PromptBox.Dropped():
                self._like_files(message.paths)
            case Input.Submitted(input=self.negative):
                self._push_away(message.value)
            case Input.Blurred(input=self.negative):
                self.negative.display = False
            case Chips.Removed():
                self._remove(message.chip)
            case Chips.Weighed():
                self._weigh(message.chip, message.by)
            case Chips.Changed():
                self._change(message.chip)
            case SearchAnswered():
                self._take_answer(message)
            case SearchRefused():
                if self.state.refused(message):
                    self.typed.close()
                    self._host.say(message.sentence, problem=True)
                self._host.refresh_status()
            case TracksArrived():
                self.state.ask_again()
            case ModelReplaced():
                self.state.outdate()
            case ModelReady():
                self._begin()
            case WentWrong(about="model") if not self.state.has_model:
                self.state.waiting = False

    @property
    def listed(self) -> ResultsList:
        """The list that is seen: the results, or what covers them."""
        return self.typed.list if self.typed.list.display else self.results

    def show_draft(self, marked: frozenset[Path]) -> None:
        """Show the chips of the draft, and on the results what is liked, banned and marked."""
        draft = self.state.draft
        self.chips.show(draft.chips())
        steering = draft.steering
        preferred = [one.path for one in steering.evidence if one.over]
        flags = Flags(steering.likes, steering.dislikes, marked, self.found.away, preferred)
        self.results.show_flags(flags)
        self.typed.list.show_flags(flags)
        self.suggest()

    def suggest(self) -> None:
        """Suggest what helps next, in the row under the prompt."""
        typing, evidence = self.prompt.box.has_focus, self.state.draft.steering.evidence
        self.chips.suggest(self._hints.at(self._host.node, evidence, typing=typing))

    # Asking

    def ask(self) -> bool:
        """Ask what is drafted; False if it is invalid."""
        self._stop_settling()
        try:
            self.prompt.take_over(self.state.draft, self.found.path)
            self.state.ask()
        except UsageError as error:
            self._host.say(str(error), problem=True)
            return False
        self.typed.asked()
        if self.prompt.read:
            self._host.say(self.prompt.read)
        self._host.refresh_status()
        return True

    @property
    def _begun(self) -> bool:
        """Whether a change is asked at once: there are words, or likes were asked without any."""
        node = self._host.node
        without = node is not None and not node.ask.steering.worded
        likes = self.state.draft.steering.likes
        return self.prompt.has_words or (without and bool(likes))

    def _ask_if_begun(self) -> None:
        """Show what is drafted, and ask it unless it waits for Enter."""
        self._host.refresh_status()
        if self._begun:
            self.ask()

    def keep(self, ask: Ask) -> None:
        """Draft and ask a query that was made elsewhere."""
        self.state.draft.become(ask)
        self.prompt.show(ask.steering.prompt)
        self.ask()

    def go_to(self, node: Node) -> None:
        """Make a query of the trail the current one."""
        self._stop_settling()
        self.typed.close()
        self.state.return_to(node)
        self.prompt.show(node.ask.steering.prompt)
        self._host.show_node(keep=True)

    def go_to_track(self, track: Track) -> None:
        """Move to a track of the list; one that is not listed is liked, and so comes near."""
        self.results.focus()
        if self.results.go_to(track.path):
            return
        self._like_files([str(track.path)], track.name)

    def paste(self, text: str) -> None:
        """Take what is pasted while no input has the focus; it is a new prompt, as if typed."""
        self.prompt.box.go_on()
        self.prompt.box.select_all()
        self.prompt.box.paste(text)

    def _like_files(self, paths: Sequence[str], name: str = "") -> None:
        """Search for more like some files, none of which need be listed."""
        draft = self.state.draft
        for path in paths:
            if path not in draft.steering.likes:
                draft.like(Path(path))
        what = name or (Path(paths[0]).stem if len(paths) == 1 else f"these {len(paths)} files")
        self._host.say(f"searching for more like {what}")
        self.ask()

    def _changed(self) -> None:
        """Ask again when the keys have settled; before the first query, only show the change."""
        self._host.refresh_status()
        self._stop_settling()
        if self._begun:
            self._settling = self._host.set_timer(SETTLE_S, self.ask)

    def _stop_settling(self) -> None:
        """Forget a change that was about to be asked."""
        if self._settling:
            self._settling.stop()

    def _submit(self, line: str) -> None:
        self.prompt.completions.close()
        if self.ask():
            self.prompt.history.add(line)
            self.results.focus()

    # Answers

    def _take_answer(self, answer: SearchAnswered) -> None:
        """Show the latest answer; stale ones are dropped."""
        before = self._host.node
        node = self.state.answered(answer)
        if node:
            if not answer.quiet:
                self.typed.hide()
            same = before and before.ask.steering.prompt == answer.ask.steering.prompt
            self._host.show_node(keep=bool(answer.quiet or same))
            if answer.notes:
                self._host.say(" · ".join(filter(None, (self.prompt.read, *answer.notes))))

    def _begin(self) -> None:
        """Ask what was waiting for the model."""
        self.state.has_model = True
        if self.state.waiting:
            self.ask()
        else:
            self.state.mend()
            self.typed.line_changed()
        self._host.refresh_status()

    # Keys

    def action_focus_prompt(self) -> None:
        """Type the prompt."""
        # `Widget.focus` would wait for a key behind this one.
        self.prompt.box.screen.set_focus(self.prompt.box)

    def action_one_more_word(self) -> None:
        """Type on behind the prompt."""
        self.prompt.go_on()

    def action_negative(self) -> None:
        """Type a negative."""
        self.negative.display = True
        self.negative.screen.set_focus(self.negative)

    def action_focus_results(self) -> None:
        """Take back what was put in, else leave what is being typed; either way, list what was."""
        self.typed.close()
        if not self.prompt.undo_completion():
            self.results.focus()

    def action_draw(self) -> None:
        """Ask what is drafted; where that was answered, draw under likes and bans."""
        draft, node = self.state.draft, self._host.node
        steering = draft.steering
        pulls = self.prompt.has_words and (steering.likes or steering.dislikes)
        if node and pulls and not steering.pull and draft.answered_by(node.ask):
            draft.steer(pull=PULL)
        self.ask()

    def action_reroll(self) -> None:
        """Make the list from the next draw."""
        if self.prompt.has_words:
            self.state.reroll()
            self.ask()
        else:
            self._host.say("without a prompt nothing is drawn, so there is nothing to roll")

    def action_spread(self, steps: int) -> None:
        """Let the list be closer to the words, or rolls differ more."""
        if not self.prompt.has_words:
            self._host.say("without a prompt nothing is drawn, so there is nothing to spread")
        elif self.state.draft.turn_spread(steps):
            self._changed()

    def action_filter(self) -> None:
        """Filter which tracks are searched."""
        draft = self.state.draft

        def take(where: str | None) -> None:
            if where is not None and where != draft.where:
                draft.where = where
                self._changed()

        self._host.open(FilterDialog(draft.where, self._jobs.check_filter), take)

    def action_like(self) -> None:
        """Rank towards the chosen track, or undo that."""
        if track := self.results.track:
            self.state.draft.like(track.path)
            self._ask_if_begun()
            if not self._begun and str(track.path) in self.state.draft.steering.likes:
                self._host.say(f"liked {track.name}; Enter finds more like it")

    def action_ban(self) -> None:
        """Leave the chosen track out and rank away from it, or undo that."""
        if track := self.results.track:
            self.state.draft.ban(track.path)
            self._ask_if_begun()

    def action_nearest(self) -> None:
        """Take the chosen result as the nearest of those in sight, or undo that."""
        results = self.results
        name = results.hit.name if results.hit else ""
        self._host.say(self.state.prefer(results.recording, results.in_sight, name))
        self._host.refresh_status()

    def action_forget(self) -> None:
        """Ask without what was learnt from choices."""
        if self.state.draft.steer(evidence=()):
            self._ask_if_begun()
        else:
            self._host.say("there is nothing to forget")

    def action_copies(self) -> None:
        """List the other files of the chosen recording, or fold them."""
        if not self.results.turn_copies():
            self._host.say("this recording has no copies")

    # Negatives and chips

    def _push_away(self, typed: str) -> None:
        """Add a negative and ask."""
        try:
            self.state.draft.push_away(typed)
        except UsageError as error:
            self._host.say(str(error), problem=True)
            return
        self.negative.value = ""
        self.results.focus()
        self._changed()

    def action_unchip(self) -> None:
        """Remove the chip at the right end."""
        if chips := self.state.draft.chips():
            self.state.draft.remove(chips[-1])
            self._changed()

    def _remove(self, chip: Chip) -> None:
        self.state.draft.remove(chip)
        self._changed()
        if not self.state.draft.chips() and self.chips.has_focus:
            self.results.focus()

    def _weigh(self, chip: Chip, by: int) -> None:
        """Change a chip's weight."""
        if self.state.draft.weigh(chip, by):
            self._changed()
        elif chip.kind in ("filter", "like", "ban"):
            self._host.say(f"{chip.kind}s have no weight")
        elif chip.kind == "evidence":
            self._host.say("a choice has no weight; x removes it")

    def _change(self, chip: Chip) -> None:
        """Retype a chip: words in the line, a filter and an edit in their own places."""
        if chip.kind == "filter":
            self.action_filter()
        elif chip.kind == "limit":
            self._host.say("+ and - set how many results each can have")
        elif chip.kind == "edit":
            self._change_edit()
        elif chip.kind in ("negative", "slider"):
            self.prompt.box.put(self.state.draft.unchip(chip))
            self.prompt.box.go_on()
            self._host.refresh_status()
        elif chip.kind == "pull":
            self._host.say("+ and - set how strongly likes and bans act while drawing")
        else:
            what = "choice" if chip.kind == "evidence" else chip.kind
            self._host.say(f"a {what} cannot be edited; x removes it")
