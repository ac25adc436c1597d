"""What threads report about the library to its own screen."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_tui.app.library.folders import Folder
from gdr_tui.app.messages import Report


@dataclass
class FoldersRead(Report):
    """What every folder holds."""

    folders: tuple[Folder, ...]
