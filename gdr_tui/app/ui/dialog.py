"""The base of every dialog: a title, a body, a line for problems, a line of hints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from gdr_tui.safe_text import literal

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A box over the search screen; Escape closes it without an answer."""

    TITLE_TEXT: ClassVar[str] = ""
    HINT: ClassVar[str] = "Enter accepts · Esc cancels"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", tooltip="close without an answer", id="dialog.leave")
    ]

    def compose(self) -> ComposeResult:
        """The box around the body."""
        with Vertical(classes="dialog") as box:
            box.border_title = self.TITLE_TEXT
            yield from self.body()
            yield Static(id="problem", markup=False)
            yield Static(self.HINT, classes="hint", markup=False)

    def body(self) -> Iterable[Widget]:
        """The widgets inside."""
        raise NotImplementedError

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)

    def complain(self, sentence: str) -> None:
        """Show what is wrong and stay open."""
        self.query_one("#problem", Static).update(Content(literal(sentence)))

    def on_input_changed(self, _event: Input.Changed) -> None:
        """Clear the problem while it is being fixed."""
        self.complain("")


class Line(Static):
    """A line of text that is never parsed as markup."""

    def __init__(self, text: str, *, id: str | None = None, classes: str = "") -> None:
        super().__init__(Content(text), id=id, classes=classes, markup=False)
