"""Invert a result and draw it again in other words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual.widget import Widget
from textual.widgets import Input

from gdr_model.errors import UsageError
from gdr_model.types import Edit, Hit, Steering
from gdr_tui.literal import clock, literal
from gdr_tui.screens.dialog import Dialog, Line
from gdr_tui.widgets.box import Box


@dataclass(frozen=True)
class Edited:
    """The words and the source of the next query."""

    prompt: str
    edit: Edit


class EditScreen(Dialog[Edited | None]):
    """Source passage, new words, strength; it is inverted under the words that found it."""

    TITLE_TEXT: ClassVar[str] = "invert and edit"
    HINT: ClassVar[str] = "Enter draws · Tab to the strength · Esc leaves"

    def __init__(self, hit: Hit, prompt: str, strength: float) -> None:
        super().__init__()
        self._hit = hit
        self._prompt = prompt
        self._strength = strength

    def body(self) -> Iterable[Widget]:
        """Where the edit starts, and the two things to say about it."""
        track = self._hit.track
        by = f" · {literal(track.artist)}" if track.artist else ""
        yield Line(f"{literal(track.name)}{by}", classes="strong")
        passage = f"{clock(self._hit.start_s)}–{clock(self._hit.end_s)}"
        yield Line(f"the passage {passage}, inverted, then drawn again in these words:")
        yield Box(self._prompt, id="edit-prompt", compact=True, select_on_focus=False)
        yield Line("strength: 0.4 stays close to the source, 1 starts over")
        yield Box(f"{self._strength:g}", id="edit-strength", compact=True, restrict=r"[0-9.]*")

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Draw, if both can be meant."""
        try:
            prompt = self.query_one("#edit-prompt", Input).value.strip()
            strength = _strength(self.query_one("#edit-strength", Input).value)
            edit = Edit(str(self._hit.track.path), self._hit.start_s, strength, self._prompt)
            Steering(prompt=prompt, edit=edit)
        except UsageError as error:
            self.complain(str(error))
            return
        self.dismiss(Edited(prompt, edit))


def _strength(typed: str) -> float:
    """The typed strength.

    Raises:
        UsageError: if it is no number.
    """
    try:
        return float(typed)
    except ValueError:
        raise UsageError("the strength must be a number above 0 and up to 1") from None
