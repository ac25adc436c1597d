"""The cue sheets of a music folder, and the tracks they give titles to."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from gdr_model.audio import Tags
from gdr_model.audio.cue import Sheets


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
        """The tags of a file with the sections that a sheet in its folder gives it, if one does."""
        folder, _, own = name.rpartition(b"/")
        if folder not in self._names:
            return tags
        if folder not in self._read:
            self._read[folder] = Sheets(self._root / os.fsdecode(folder), self._names[folder])
        sections = self._read[folder].sections_of(os.fsdecode(own))
        return replace(tags, sections=sections) if sections else tags
