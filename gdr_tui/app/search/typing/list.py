"""The list of what the prompt line would find, which covers the results until Enter keeps it."""

from __future__ import annotations

from textual import events

from gdr_tui.app.messages import FeatureMessage
from gdr_tui.app.search.results import ResultsList


class TypedList(ResultsList, can_focus=False):
    """Results in grey, without a cursor."""

    class Clicked(FeatureMessage):
        """The pointer chose the list."""

    def pieces(self, row: int, width: int) -> list[tuple[str, str]]:
        """One track, in grey."""
        return [(text, "listing--dim") for text, _ in super().pieces(row, width)]

    def on_click(self, event: events.Click) -> None:
        """Choose the list as a whole: its lines have no cursor yet."""
        event.prevent_default()
        self.post_message(self.Clicked())
