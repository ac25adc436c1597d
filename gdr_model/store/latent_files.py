"""The files of a store's latents: two for every space, one row a second and one row a passage.

SPACE.f16      latents, float16, only ever appended to
SPACE.means    the mean of each passage's latents, float32
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gdr_model.store.records import file_stem, former_stem
from gdr_model.store.rows import RowFile
from gdr_model.types import LatentSpace


class SpaceFiles(NamedTuple):
    """The two files of one space."""

    latents: RowFile
    means: RowFile


class LatentFiles:
    """The files of all spaces in a folder, opened when first needed; safe from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: dict[LatentSpace, SpaceFiles] = {}
        self._lock = threading.Lock()

    def of(self, space: LatentSpace) -> SpaceFiles:
        """The files of one space, which need not exist yet."""
        with self._lock:
            if space not in self._opened:
                self._opened[space] = SpaceFiles(
                    RowFile(self._path(space, ".f16"), space.dim, np.float16),
                    RowFile(self._path(space, ".means"), space.dim, np.float32),
                )
            return self._opened[space]

    def _path(self, space: LatentSpace, suffix: str) -> Path:
        path = (self._folder / file_stem(space)).with_suffix(suffix)
        former = (self._folder / former_stem(space)).with_suffix(suffix)
        if not path.exists() and former.exists():
            try:
                former.rename(path)
            except FileNotFoundError:
                pass  # another program has just renamed it
            except OSError:
                return former  # it cannot be renamed, and it is the same file
        return path
