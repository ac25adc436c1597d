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
    """One line of text, refused in the dialog until it can be meant."""

    EXPLAINED: ClassVar[tuple[str, ...]] = ()
    PLACEHOLDER: ClassVar[str] = ""

    def __init__(self, value: str, check: Callable[[str], object]) -> None:
        super().__init__()
        self._value = value
        self._check = check

    def body(self) -> Iterable[Widget]:
        """What is asked for, and the line."""
        yield Box(self._value, self.PLACEHOLDER, id="answer", compact=True)
        for line in self.EXPLAINED:
            yield Line(line, classes="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer, if the line can be meant."""
        typed = event.value.strip()
        try:
            self._check(typed)
        except GdrError as error:
            self.complain(str(error))
            return
        self.dismiss(typed)
