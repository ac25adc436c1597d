"""Write the marked results, or all, to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input

from gdr_model.errors import UsageError
from gdr_tui.export import FORMATS, AlreadyThere
from gdr_tui.screens.dialog import Dialog, Line
from gdr_tui.typed import typed_path
from gdr_tui.widgets.box import Box

Write = Callable[[Path, bool], str]
"""Writes to a path, replacing a file or not, and says what was done."""


class ExportScreen(Dialog[str | None]):
    """A path whose suffix decides the format."""

    TITLE_TEXT: ClassVar[str] = "export"
    HINT: ClassVar[str] = "Enter writes · Tab to the formats · Esc leaves"

    def __init__(self, what: str, path: Path, write: Write) -> None:
        super().__init__()
        self._what = what
        self._path = path
        self._write = write
        self._warned_about: Path | None = None

    def body(self) -> Iterable[Widget]:
        """What goes where, as what."""
        yield Line(self._what, classes="strong")
        yield Box(str(self._path), id="answer", compact=True, select_on_focus=False)
        yield Horizontal(
            *(
                Button(suffix[1:].upper(), id=f"as-{suffix[1:]}", compact=True)
                for suffix in FORMATS
            ),
            classes="choices",
        )

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Change the suffix."""
        box = self.query_one(Input)
        suffix = str(event.button.id).replace("as-", ".")
        box.focus()
        try:
            with typed_path(box.value):
                box.value = str(Path(box.value or "gdr").with_suffix(suffix))
        except UsageError as error:
            self.complain(str(error))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Write; a file that exists is replaced only when asked twice."""
        target = Path(event.value.strip())
        try:
            said = self._write(target, target == self._warned_about)
        except UsageError as error:
            self._warned_about = target if isinstance(error, AlreadyThere) else None
            self.complain(str(error))
            return
        self.dismiss(said)
