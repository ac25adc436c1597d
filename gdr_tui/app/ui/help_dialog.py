"""The help dialog: every key and what it does, with the ids to remap them by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from gdr_tui.app import keymap
from gdr_tui.app.ui.dialog import Dialog

_READING = """
results   rank · ▲▼★ change since the query before it · ♥ liked ⊘ banned
          ┃ marked · name · artist · cosine to the draws (bar: relative to
          the best) · start of the passage · draws that found it
waveform  the matching passage in colour; below it, how well each
          second matches; click to play from there
keys      remap them by the ids at the right, in settings.toml, [keys]
"""


def table(used: Mapping[str, str]) -> Text:
    """The keys in groups, then a legend of the screen."""
    text = Text(no_wrap=True, overflow="ellipsis")
    last = ""
    rows = list(keymap.help_rows(used))
    keys = max(cell_len(pressed) for _, pressed, *_ in rows) + 1
    tooltips = max(cell_len(tooltip) for _, _, _, tooltip, _ in rows) + 1
    for group, pressed, _, tooltip, name in rows:
        if group != last:
            text.append(f"{chr(10) if last else ''}{group}\n", "bold")
            last = group
        text.append(f" {set_cell_size(pressed, keys)}", "bold")
        text.append(set_cell_size(tooltip, tooltips))
        text.append(f"{name}\n", "dim")
    text.append(f" {set_cell_size('^p', keys)}", "bold")
    text.append("every action by name, and the themes\n")
    text.append(_READING)
    return text


class HelpDialog(Dialog[None]):
    """The table of keys."""

    TITLE_TEXT: ClassVar[str] = "help"
    HINT: ClassVar[str] = "↑ ↓ scroll · Esc closes"

    def __init__(self, used: Mapping[str, str]) -> None:
        super().__init__()
        self._used = used

    def body(self) -> Iterable[Widget]:
        """The table."""
        yield VerticalScroll(Static(table(self._used), markup=False), classes="long")
