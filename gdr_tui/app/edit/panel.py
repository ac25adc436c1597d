"""Invert a result and draw it again in other words, while the lists show what that does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, Static

from gdr_model.errors import UsageError
from gdr_model.types import Edit, Results, Sampler
from gdr_tui.app import keys
from gdr_tui.app.edit.dial import Dial
from gdr_tui.app.edit.difference import DifferenceList
from gdr_tui.app.edit.messages import PreviewFound
from gdr_tui.app.labels import STRENGTH
from gdr_tui.app.main.search_screen import SearchScreen
from gdr_tui.app.search.draft import GUIDANCE_STEP, Draft, weighted
from gdr_tui.app.trail.trail import Ask, compare
from gdr_tui.app.ui.box import Box
from gdr_tui.safe_text import clock, literal

PREVIEW_S = 0.12
"""A change is drawn this long after the last key, so that a held key draws once."""


@dataclass(frozen=True)
class Source:
    """Where an edit starts."""

    path: str
    title: str
    start_s: float
    from_prompt: str
    """The words it is inverted under."""
    words: str
    """The words to begin with."""

    @classmethod
    def of(cls, edit: Edit, words: str) -> Source:
        """That of an edit which was drawn already, in some words."""
        stem = edit.path.replace("\\", "/").rpartition("/")[2]
        return cls(edit.path, literal(stem), edit.start_s or 0.0, edit.from_prompt, words)


class Field(Box):
    """A line to type in that lets the panel move on."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.EDITING_MOVES)


class EditPanel(Screen["Draft | None"]):
    """Words and dials above, the lists before and after below; Enter keeps the edit."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.EDITING)
    AUTO_FOCUS = "#edit-prompt"

    def __init__(
        self,
        draft: Draft,
        source: Source,
        before: Results,
        strength: float,
        preview: Callable[[Ask], int],
    ) -> None:
        """`preview` draws on a thread and answers by which number its answer is known."""
        super().__init__()
        self._draft, self._source, self._before = draft, source, before
        self._strength = strength
        self._preview = preview
        self._number = 0
        self._asked: Ask | None = None
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        draft, source = self._draft, self._source
        steering = draft.steering
        negatives = ", ".join(
            n.text + f":{n.weight:g}" * (n.weight != 1) for n in steering.negatives
        )
        yield Static(self._heading(), id="edit-source", markup=False)
        with Horizontal(classes="edit-row"):
            yield Static("words", classes="edit-label", markup=False)
            yield Field(source.words, id="edit-prompt", compact=True,
                      select_on_focus=False)  # fmt: skip
        with Horizontal(classes="edit-row"):
            yield Static("without", classes="edit-label", markup=False)
            yield Field(negatives, "drums, vocals:0.5", id="edit-negatives", compact=True,
                      select_on_focus=False)  # fmt: skip
        yield Dial("strength", self._strength, (min(self._strength, STRENGTH.step), 1.0),
                   STRENGTH.step, "low keeps the source", id="edit-strength")  # fmt: skip
        guidance = (0.0, max(steering.guidance, 10.0))
        yield Dial("guidance", steering.guidance, guidance, GUIDANCE_STEP,
                   "how hard the words pull", id="edit-guidance")  # fmt: skip
        steps = (min(steering.steps, 4), max(steering.steps, 50))
        yield Dial("steps", steering.steps, steps, 1, "more is finer and slower", id="edit-steps")
        with Horizontal(id="edit-lists"):
            yield DifferenceList(new=False, id="edit-before")
            yield DifferenceList(new=True, id="edit-after")
        yield Static(id="edit-state", markup=False)

    def on_mount(self) -> None:
        """Draw the edit as it stands."""
        before = self.query_one("#edit-before", DifferenceList)
        before.border_title = f"before · {len(self._before.hits)}"
        before.show(self._before, None)
        after = self.query_one("#edit-after", DifferenceList)
        after.border_title = "after"
        after.empty = ("drawing …",)
        after.show(None, None)
        self._draw()

    # Changes

    @on(Input.Changed)
    @on(Dial.Turned)
    def change(self) -> None:
        """Draw when the keys have settled."""
        if self._settling:
            self._settling.stop()
        self._settling = self.set_timer(PREVIEW_S, self._draw)

    def edited(self) -> Draft:
        """The draft with this edit.

        Raises:
            UsageError: if it cannot be meant.
        """
        source = self._source
        typed = self.query_one("#edit-negatives", Input).value
        strength = self.query_one("#edit-strength", Dial).value
        edit = Edit(source.path, source.start_s, strength, source.from_prompt)
        steering = self._draft.steering.but(
            negatives=weighted(typed),
            guidance=self.query_one("#edit-guidance", Dial).value,
            steps=round(self.query_one("#edit-steps", Dial).value),
            sampler=Sampler.DDIM,
            edit=edit,
        )
        prompt = self.query_one("#edit-prompt", Input).value.strip()
        draft = replace(self._draft, steering=steering, prompt=prompt)
        draft.ask()
        return draft

    def _draw(self) -> None:
        try:
            ask = self.edited().ask()
        except UsageError as error:
            self._number, self._asked = 0, None  # an answer under way is to other words
            self._say(str(error))
            return
        if ask != self._asked:
            self._number, self._asked = self._preview(ask), ask
            self._say("drawing …")

    # Answers

    def show(self, drawn: PreviewFound) -> None:
        """Draw the latest answer; stale ones are dropped."""
        if drawn.number != self._number:
            return
        if drawn.results is None:
            self._say(drawn.problem)
            return
        now = drawn.results
        self.query_one("#edit-before", DifferenceList).show(self._before, now)
        after = self.query_one("#edit-after", DifferenceList)
        after.empty = ("nothing found",)
        after.show(now, self._before)
        moves = compare(self._before, now)
        after.border_title = (
            f"after · {len(moves.came)} came, {len(moves.went)} went, {len(moves.moved)} moved"
        )
        trip = now.query.round_trip
        kept = "" if trip is None else f" · round trip {1 - trip:.3f}"
        self._say(f"{drawn.took_s:.2f} s{kept}")

    # Keys

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Keep it: it becomes a query of the trail."""
        try:
            draft = self.edited()
        except UsageError as error:
            self._say(str(error))
            return
        self.dismiss(draft)

    def action_leave(self) -> None:
        """Leave everything as it was."""
        self.dismiss(None)

    def action_scroll_lists(self, by: int) -> None:
        """Both lists at once."""
        for half in self.query(DifferenceList):
            half.move(by * max(1, half.size.height - 1))

    def _heading(self) -> Content:
        at = f"from {clock(self._source.start_s)}"
        under = self._source.from_prompt
        found = f", inverted under “{literal(under)}”" if under else ""
        return Content.assemble(("edit  ", "dim"), (self._source.title, "bold"), f"  {at}{found}")

    def _say(self, sentence: str) -> None:
        shown = f"{literal(sentence)} · Enter keeps it · Esc leaves · Tab ↑ ↓ fields · ← → turn"
        self.query_one("#edit-state", Static).update(Content(shown))


class EditingScreen(SearchScreen):
    """The search screen with the key that edits."""

    _previewed = 0
    _panel: EditPanel | None = None

    def action_edit(self) -> None:
        """Invert the chosen result and draw it again in other words."""
        hit, node = self.results.hit, self.asking.trail.current
        if hit is None or node is None:
            self.say("an edit starts from a result: search first, then choose one")
            return
        words = node.ask.steering.prompt
        track = hit.track
        by = f" · {literal(track.artist)}" if track.artist else ""
        title = literal(track.name) + by
        self.open_panel(Source(str(track.path), title, hit.start_s, words, words))

    def action_edit_again(self) -> None:
        """Change the edit that is drafted."""
        if edit := self.asking.draft.steering.edit:
            self.open_panel(Source.of(edit, self.asking.draft.prompt))

    def open_panel(self, source: Source) -> None:
        """Let the user try an edit and take over what is kept of it."""
        found = self.found
        if found is None or not self.asking.has_model:
            self.say("the model is still loading; try again when it is there")
            return
        draft = self.asking.draft
        edit = draft.steering.edit
        strength = edit.strength if edit else self._settings.strength

        def preview(ask: Ask) -> int:
            self._previewed += 1
            self._jobs.edit.preview(self._previewed, ask, self._settings.results)
            return self._previewed

        def take(edited: Draft | None) -> None:
            self._panel = None
            self._jobs.edit.cancel()
            if edited is None:
                return
            self.asking.draft = edited
            self.query_one("#prompt", Input).value = edited.prompt
            self._ask()

        self._panel = EditPanel(draft, source, found, strength, preview)
        self.app.push_screen(self._panel, take)

    @on(PreviewFound)
    def show_preview(self, drawn: PreviewFound) -> None:
        """Hand the panel its answer."""
        if self._panel:
            self._panel.show(drawn)
