"""A dialog that asks for a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.widget import Widget

from gdr_tui.app.ui.ask_dialog import AskDialog
from gdr_tui.app.ui.dialog import Line


class NameDialog(AskDialog):
    """One line; `check` can refuse it."""

    TITLE_TEXT: ClassVar[str] = "name"

    def __init__(
        self, value: str, explained: str, check: Callable[[str], object] = lambda _: None
    ) -> None:
        super().__init__(value, check)
        self._explained = explained

    def body(self) -> Iterable[Widget]:
        """The line, and what it is for."""
        yield from super().body()
        yield Line(self._explained, classes="hint")
