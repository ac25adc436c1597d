"""The dialog that writes a list of tracks, or a trail, to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Button, Input

from gdr_model.errors import UsageError
from gdr_tui.app.ui.box import PathBox
from gdr_tui.app.ui.dialog import Dialog, Line
from gdr_tui.export import FORMATS, AlreadyThere, Style
from gdr_tui.safe_text import literal
from gdr_tui.user_paths import typed_path

Write = Callable[[str, bool, Style], str]
"""Writes to a typed path, replacing a file or not, in a style; returns a report."""

FOLDER = "folder"
_STYLES = {
    "relative": ("absolute paths", "relative paths"),
    "starts": ("whole tracks", "from passage"),
    "bom": ("plain CSV", "CSV + BOM"),
}
"""The fields of a style: their buttons while off and on, equally long."""
_NAMES = {".xml": "REKORDBOX", FOLDER: "LINKS"}


@dataclass(frozen=True)
class Source:
    """Something that can be written."""

    what: str
    """In a few words, escaped already."""
    target: Path
    """Where to, unless the user says otherwise."""
    write: Write


class ExportDialog(Dialog[str | None]):
    """Asks for a path, whose suffix decides the format."""

    TITLE_TEXT: ClassVar[str] = "export"
    HINT: ClassVar[str] = "Enter writes · Tab goes to the choices · Esc cancels"

    def __init__(
        self, sources: Sequence[Source], formats: Sequence[str] = (*FORMATS, FOLDER)
    ) -> None:
        """Offer the first source; buttons switch to the others."""
        super().__init__()
        self._sources = list(sources)
        self._source = self._sources[0]
        self._formats = formats
        self._style = Style()
        self._warned_about = ""

    def body(self) -> Iterable[Widget]:
        """Source, path and format."""
        if len(self._sources) > 1:
            yield Horizontal(
                *(
                    Button(source.what, id=f"source-{at}", compact=True)
                    for at, source in enumerate(self._sources)
                ),
                classes="choices",
            )
        else:
            yield Line(self._source.what, classes="strong")
        yield PathBox(str(self._source.target), id="answer", compact=True, select_on_focus=False)
        if len(self._formats) > 1:
            buttons = [
                Button(
                    _NAMES.get(form, form[1:].upper()), id=f"as-{form.lstrip('.')}", compact=True
                )
                for form in self._formats
            ]
            yield Horizontal(*buttons, classes="choices")
            styles = [Button(off, id=name, compact=True) for name, (off, _) in _STYLES.items()]
            yield Horizontal(*styles, classes="choices")

    def on_mount(self) -> None:
        """Focus the path and show the chosen source."""
        self.query_one(Input).focus()
        self._show_source()

    @on(Button.Pressed)
    def choose(self, event: Button.Pressed) -> None:
        """Change the source, the suffix, or how paths are written."""
        box, chosen = self.query_one(Input), str(event.button.id)
        box.focus()
        if chosen in _STYLES:
            on = not getattr(self._style, chosen)
            self._style = replace(self._style, **{chosen: on})
            event.button.label = _STYLES[chosen][on]
        elif chosen.startswith("source-"):
            self._source = self._sources[int(chosen.removeprefix("source-"))]
            box.value = str(self._source.target)
            self._show_source()
        else:
            suffix = "" if chosen == f"as-{FOLDER}" else chosen.replace("as-", ".")
            try:
                with typed_path(box.value):
                    box.value = str(Path(box.value or "gdr").with_suffix(suffix))
            except UsageError as error:
                self.complain(str(error))

    def _show_source(self) -> None:
        for at, source in enumerate(self._sources) if len(self._sources) > 1 else ():
            self.query_one(f"#source-{at}").set_class(source is self._source, "-chosen")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Write; an existing file is replaced only on a second Enter."""
        typed = event.value.strip()
        try:
            said = self._source.write(typed, typed == self._warned_about, self._style)
        except UsageError as error:
            self._warned_about = typed if isinstance(error, AlreadyThere) else ""
            self.complain(str(error))
            return
        self.dismiss(literal(said))
