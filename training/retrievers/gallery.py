"""Music as a library that a `Retriever` searches, and its recordings as the columns of a table.

A captioned set becomes a real `Library` in a temporary store: latents, passages and tracks are
written as `gdr index` writes them, but for the sound. Shapes: R recordings, T latents, D latent
width.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdr_model.audio import Tags
from gdr_model.search.indexed.commonness import CommonScores
from gdr_model.search.retriever import Retriever
from gdr_model.store.library import Library
from gdr_model.store.records import Passages, Sound, Stamp
from gdr_model.types import PASSAGE_S, Array, LatentSpace, Query, Track

_MEMORY = Path("/dev/shm")  # noqa: S108 (the folder in it has a random name and mode 0700)
"""A file system in memory, where there is one: a library syncs every track to the disk, and on one
that means it, 5,000 tracks take 50 s instead of 2."""


@dataclass(frozen=True)
class Gallery:
    """A library, and the recordings it is measured by."""

    library: Library
    tracks: tuple[Track, ...]
    """One of each recording, in the order of the columns."""
    _known: dict[str, tuple[Passages, NDArray[np.int64]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def column(self) -> dict[str, int]:
        """The column of each recording, by its content."""
        return {track.content: column for column, track in enumerate(self.tracks)}

    def scores(self, retriever: Retriever, query: Query, *, corrected: bool = True) -> Array:
        """The score (R,) by which the search ranks each recording; -inf where it cannot be found.

        A recording's score is that of its best passage. Each is fused as `nearest.rank` fuses it,
        without the lists and votes that a search shows: those take most of its time. Draws can be
        left uncorrected.
        """
        opened = retriever.libraries[0]
        if not corrected:
            opened = replace(opened, common=CommonScores(None))
        fused = opened.scores(query, retriever.share(query))
        row = np.full(len(self.tracks), -np.inf, np.float32)
        # Sounds without a track cannot be found.
        columns = self._columns(opened.index.passages)
        np.maximum.at(row, columns[columns >= 0], fused[columns >= 0])
        return row

    def _columns(self, passages: Passages) -> NDArray[np.int64]:
        """The column of each passage (N,), -1 where it has none."""
        known = self._known.get("columns")
        if known is None or known[0] is not passages:
            columns = [self.column.get(content, -1) for content in passages.contents]
            known = self._known["columns"] = passages, np.array(columns, np.int64)
        return known[1]

    def first_passages(self, space: LatentSpace) -> list[Array]:
        """The latents (T, D) of each recording's first `PASSAGE_S` seconds at most."""
        return [self.library.latents(t.content, space)[:PASSAGE_S] for t in self.tracks]

    @classmethod
    def of(cls, library: Library, space: LatentSpace) -> Gallery:
        """Every recording of a library that has latents in a space, copies counted once."""
        encoded = library.encoded(space)
        by_content = {t.content: t for t in library.tracks() if t.content in encoded}
        return cls(library, tuple(by_content.values()))


@contextmanager
def gallery(
    names: Sequence[str], latents: Sequence[Array], space: LatentSpace
) -> Iterator[Gallery]:
    """A library of the latents R x (T, D) of named tracks, deleted afterwards."""
    folder = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="gdr-gallery-", dir=folder) as temporary:
        root = Path(temporary) / "music"
        root.mkdir()
        with Library.open(root, create=True, store=Path(temporary) / "store") as library:
            for number, (name, rows) in enumerate(zip(names, latents, strict=True)):
                # Numbers instead of names: paths in the order of the columns, legal everywhere.
                content = f"{number:08d}"
                sound = Sound(content, float(len(rows)), 0.0)
                library.put_latents(sound, space, rows)
                library.files.put_track(content.encode(), Stamp(0, 0), sound, Tags(title=name))
            yield Gallery.of(library, space)
