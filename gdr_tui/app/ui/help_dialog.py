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

_FINDING = (
    ("track.nearest", "the nearest in sight, then the next nearest; then {enter}"),
    ("search.word", "one more word that fits"),
)
_WHY = """\
 A choice also says what the other results in sight are not. Once you
 choose, likes, bans and playing add nothing to finding one track, and
 negatives and sliders (+words) slow it down. Use those to shape a
 list.
"""
_READING = """
results   rank · ▲▼★ change since the query before · ♥ liked ⊘ banned
          ≈ nearest ∅ not there now ┃ marked · name · artist · score
          (bar: share of the best) · start of the passage · draws that
          found it
waveform  the matching passage in colour; below it, how well each
          second matches; click to play from there
trail     how many results · agree: how alike the draws are (1: equal)
status    time of a query · how the list is made · g: guidance
keys      remap them by the ids at the right, in settings.toml, [keys]
"""


def table(used: Mapping[str, str]) -> Text:
    """The keys in groups, then a legend of the screen."""
    text = Text(no_wrap=True, overflow="ellipsis")
    last = ""
    rows = list(keymap.help_rows(used))
    keys = max(cell_len(pressed) for _, pressed, *_ in rows) + 1
    text.append("to find a track, what helps most first\n", "bold")
    for name, does in _FINDING:
        text.append(f" {set_cell_size(keymap.used(name, used), keys)}", "bold")
        text.append(f"{does.format(enter=keymap.used('search.draw', used))}\n")
    text.append(f"{_WHY}\n")
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
