"""The panel that inverts a result and redraws it with an edited prompt, with a live preview."""

from __future__ import annotations

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
from gdr_tui.app import keys
from gdr_tui.app.edit.dial import Dial
from gdr_tui.app.edit.difference import DifferenceList
from gdr_tui.app.edit.state import EditState
from gdr_tui.app.previews import PAUSE_S, PreviewFound, Previews
from gdr_tui.app.trail.trail import Ask, compare
from gdr_tui.app.ui.box import Box
from gdr_tui.labels import GUIDANCE, STRENGTH
from gdr_tui.language.syntax import as_typed, read_negations
from gdr_tui.language.understood import readings
from gdr_tui.safe_text import clock, literal


class Field(Box):
    """An input in which up and down move between fields."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.EDITING_MOVES)


class EditPanel(Screen[Ask | None]):
    """Words and dials above, the lists before and after below; Enter keeps the edit."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.EDITING)
    AUTO_FOCUS = "#edit-prompt"

    def __init__(self, state: EditState, previews: Previews, k: int) -> None:
        """Draw nothing yet; `k` is how many results a preview has."""
        super().__init__()
        self.state = state
        self.previews = previews
        self._k = k
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        steering, strength = self.state.steering, self.state.strength
        negatives = ", ".join(
            n.text + f":{n.weight:g}" * (n.weight != 1) for n in steering.negatives
        )
        yield Static(self._heading(), id="edit-source", markup=False)
        with Horizontal(classes="edit-row"):
            yield Static("words", classes="edit-label", markup=False)
            yield Field(as_typed(self.state.source.words), id="edit-prompt", compact=True,
                      select_on_focus=False)  # fmt: skip
        with Horizontal(classes="edit-row"):
            yield Static("without", classes="edit-label", markup=False)
            yield Field(negatives, "drums, vocals:0.5", id="edit-negatives", compact=True,
                      select_on_focus=False)  # fmt: skip
        yield Dial("strength", strength, (min(strength, STRENGTH.step), 1.0),
                   STRENGTH.step, "low: near the source", id="edit-strength")  # fmt: skip
        guidance = (0.0, max(steering.guidance, 10.0))
        yield Dial("guidance", steering.guidance, guidance, GUIDANCE.step,
                   "high: near the prompt", id="edit-guidance")  # fmt: skip
        steps = (min(steering.steps, 4), max(steering.steps, 50))
        yield Dial("steps", steering.steps, steps, 1, "high: finer, slower", id="edit-steps")
        with Horizontal(id="edit-lists"):
            yield DifferenceList(new=False, id="edit-before")
            yield DifferenceList(new=True, id="edit-after")
        yield Static(id="edit-state", markup=False)

    def on_mount(self) -> None:
        """Draw the edit as it is at first."""
        results = self.state.before
        before = self.query_one("#edit-before", DifferenceList)
        before.border_title = f"before · {len(results.hits)}"
        before.show(results, None)
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
        self._settling = self.set_timer(PAUSE_S, self._draw)

    def edited(self) -> Ask:
        """The query with this edit.

        Raises:
            UsageError: if it is invalid.
        """
        return self.state.ask(
            self.query_one("#edit-prompt", Input).value,
            self.query_one("#edit-negatives", Input).value,
            self.query_one("#edit-strength", Dial).value,
            self.query_one("#edit-guidance", Dial).value,
            round(self.query_one("#edit-steps", Dial).value),
        )

    def _draw(self) -> None:
        try:
            ask = self.edited()
        except UsageError as error:
            self.previews.drop()
            self._say(str(error))
            return
        if self.previews.try_out(ask, self._k):
            self._say(self._with_reading("drawing …"))

    # Answers

    def show(self, found: PreviewFound) -> None:
        """Show the latest answer; stale ones are dropped."""
        if not self.previews.is_latest(found):
            return
        if found.results is None:
            self._say(found.problem)
            return
        before, now = self.state.before, found.results
        self.query_one("#edit-before", DifferenceList).show(before, now)
        after = self.query_one("#edit-after", DifferenceList)
        after.empty = ("nothing found",)
        after.show(now, before)
        moves = compare(before, now)
        after.border_title = (
            f"after · {len(moves.came)} came, {len(moves.went)} went, {len(moves.moved)} moved"
        )
        trip = now.query.round_trip
        kept = "" if trip is None else f" · round trip {1 - trip:.3f}"
        self._say(self._with_reading(f"{found.took_s:.2f} s{kept}"))

    # Keys

    @on(Input.Submitted)
    def action_accept(self) -> None:
        """Keep the edit as a query of the trail."""
        try:
            ask = self.edited()
        except UsageError as error:
            self._say(str(error))
            return
        self.dismiss(ask)

    def action_leave(self) -> None:
        """Discard the edit."""
        self.dismiss(None)

    def action_scroll_lists(self, by: int) -> None:
        """Scroll both lists."""
        for half in self.query(DifferenceList):
            half.move(by * max(1, half.size.height - 1))

    def _heading(self) -> Content:
        source = self.state.source
        start, under = f"from {clock(source.start_s)}", source.from_prompt
        inverted = f", inverted under “{literal(under)}”" if under else ""
        return Content.assemble(("edit  ", "dim"), (source.title, "bold"), f"  {start}{inverted}")

    def _with_reading(self, sentence: str) -> str:
        """A sentence, after how negations in the prompt were read."""
        read = readings(read_negations(self.query_one("#edit-prompt", Input).value))
        return f"{read} · {sentence}" if read else sentence

    def _say(self, sentence: str) -> None:
        shown = f"{literal(sentence)} · Enter keeps · Esc discards · ↑↓ fields · ←→ adjust"
        self.query_one("#edit-state", Static).update(Content(shown))
