"""A dialog that asks for a music folder."""

from __future__ import annotations

from typing import ClassVar

from gdr_tui.app.ui.ask_dialog import AskDialog
from gdr_tui.app.ui.box import Box, PathBox


class FolderDialog(AskDialog):
    """Another music folder."""

    TITLE_TEXT: ClassVar[str] = "open a music folder"
    PLACEHOLDER: ClassVar[str] = "~/Music"
    BOX: ClassVar[type[Box]] = PathBox
    EXPLAINED: ClassVar[tuple[str, ...]] = (
        "Indexing starts at once; results appear while it runs,",
        "and nothing is ever written into the folder.",
    )
