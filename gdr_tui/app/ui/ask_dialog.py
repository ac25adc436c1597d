"""A dialog that asks for one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.widget import Widget
from textual.widgets import Input

from gdr_model.errors import GdrError
from gdr_tui.app.ui.box import Box
from gdr_tui.app.ui.dialog import Dialog, Line


class AskDialog(Dialog[str | None]):
    """Asks for one line of text, and stays open until it is valid."""

    EXPLAINED: ClassVar[tuple[str, ...]] = ()
    PLACEHOLDER: ClassVar[str] = ""
    BOX: ClassVar[type[Box]] = Box

    def __init__(self, value: str, check: Callable[[str], object]) -> None:
        super().__init__()
        self._value = value
        self._check = check

    def body(self) -> Iterable[Widget]:
        """The line, and what it is for."""
        yield self.BOX(self._value, self.PLACEHOLDER, id="answer", compact=True)
        for line in self.EXPLAINED:
            yield Line(line, classes="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, if the line is valid."""
        typed = event.value.strip()
        try:
            self._check(typed)
        except GdrError as error:
            self.complain(str(error))
            return
        self.dismiss(typed)
