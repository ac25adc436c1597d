"""The cue sheets of a music folder, and the tracks they give titles to."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from gdr_model.audio import Tags
from gdr_model.audio.cue import Sheets
from gdr_model.errors import FileUnavailable


class FolderSheets:
    """Every cue sheet below a root, read when the first file next to it asks for it."""

    def __init__(self, root: Path, names: Iterable[bytes]) -> None:
        """Read nothing yet.

        Args:
            root: the music folder.
            names: keys of the sheets (see `records.key`).
        """
        self._root = root
        self._names: dict[bytes, list[str]] = defaultdict(list)
        for name in names:
            folder, _, own = name.rpartition(b"/")
            self._names[folder].append(os.fsdecode(own))
        self._read: dict[bytes, Sheets] = {}

    def in_tags(self, name: bytes, tags: Tags) -> Tags:
        """The tags of a file with the sections that a sheet in its folder gives it, if one does.

        Raises:
            FileUnavailable: if none does, but the system could not read one of the sheets.
        """
        folder, _, own = name.rpartition(b"/")
        if folder not in self._names:
            return tags
        if folder not in self._read:
            self._read[folder] = Sheets(self._root / os.fsdecode(folder), self._names[folder])
        sheets = self._read[folder]
        sections = sheets.sections_of(os.fsdecode(own))
        for sheet, reason in sheets.unavailable.items() if not sections else ():
            raise FileUnavailable(f"of its cue sheet {sheet}, {reason}")
        return replace(tags, sections=sections) if sections else tags

    def is_unread(self, name: bytes) -> bool:
        """Whether the system could not read a sheet when it was asked for."""
        folder, _, own = name.rpartition(b"/")
        return folder in self._read and os.fsdecode(own) in self._read[folder].unavailable
