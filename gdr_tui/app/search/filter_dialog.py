"""A dialog that asks for a filter."""

from __future__ import annotations

from typing import ClassVar

from gdr_tui.app.ui.ask_dialog import AskDialog


class FilterDialog(AskDialog):
    """Which tracks are searched."""

    TITLE_TEXT: ClassVar[str] = "filter"
    PLACEHOLDER: ClassVar[str] = "genre = jazz and duration_s < 240"
    EXPLAINED: ClassVar[tuple[str, ...]] = (
        "text    title artist albumartist album genre key     = != ~ (contains)",
        "        comment path folder",
        "number  year originalyear bpm duration_s             = != < <= > >=",
        "        loudness_db                                  = 1960..1969",
        'and · or · not ( ) · "quote several words" · empty: no filter',
    )
