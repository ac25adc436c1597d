"""The tracks of a library by their content, read from its database when one is asked for.

A search looks at passages by the hundred thousand and shows twenty tracks. Which passages compete
is a bit for each content; tags are read of what is shown and, by a filter, of what it compares.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gdr_model.store.library import Library, by_content
from gdr_model.store.records import Contents
from gdr_model.types import Track

_REMEMBERED = 4096
"""Contents whose tracks are kept, and about as many kilobytes."""
_AT_ONCE = 20_000
"""So many contents are not looked up one by one: all tracks are read."""


class Shelf(Mapping[str, list[Track]]):
    """The tracks of each content, in the order of their paths; of one state of a library."""

    def __init__(self, library: Library, contents: Contents) -> None:
        """Read no track yet; `contents` are those of the index."""
        self.library = library
        self.contents = contents
        self._known: OrderedDict[str, list[Track]] = OrderedDict()
        self._kept: OrderedDict[str, Competing] = OrderedDict()
        self.all = self._competing(None)
        """Every track."""

    def __getitem__(self, content: str) -> list[Track]:
        """The tracks of a content.

        Raises:
            KeyError: if it has none.
        """
        return self.of([content])[content]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self.library.kept()))

    def __len__(self) -> int:
        """How many contents have a track."""
        return self.all.recordings

    def of(self, contents: Collection[str]) -> dict[str, list[Track]]:
        """The tracks of some contents; those without any are left out."""
        if len(contents) > _AT_ONCE:
            whole, wanted = self.everything(), set(contents)
            return {content: same for content, same in whole.items() if content in wanted}
        missing = [content for content in contents if content not in self._known]
        if missing:
            found = self.library.tracks_of(missing)
            self._known.update((content, found.get(content, [])) for content in missing)
        tracks = {content: self._known[content] for content in contents}
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return {content: same for content, same in tracks.items() if same}

    def everything(self) -> dict[str, list[Track]]:
        """All tracks; a large library's take a second and a hundred megabytes."""
        return by_content(self.library.tracks())

    def competing(self, where: str | None) -> Competing:
        """The tracks that a filter keeps.

        Raises:
            UsageError: if the filter cannot be read.
        """
        if where is None:
            return self.all
        if where not in self._kept:
            self._kept[where] = self._competing(where)
            if len(self._kept) > 8:
                self._kept.popitem(last=False)
        return self._kept[where]

    def _competing(self, where: str | None) -> Competing:
        if where is None and not self.library.part:  # every passage has a track, or is not listed
            everyone = np.ones(len(self.contents.names), np.bool_)
            return Competing(self, None, everyone, self.library.count(), self.library.recordings())
        kept = list(self.library.kept(where))
        different = list(dict.fromkeys(kept))
        codes = self.contents.codes_of(different)
        mask = np.zeros(len(self.contents.names), np.bool_)
        mask[codes[codes >= 0]] = True
        return Competing(self, where, mask, len(kept), len(different))


@dataclass(frozen=True)
class Competing:
    """The tracks that compete in one search."""

    shelf: Shelf
    where: str | None
    mask: NDArray[np.bool_]
    """(R,) whether each content of the index does."""
    count: int
    recordings: int
    """The different contents of the tracks."""

    @cached_property
    def allows_all(self) -> bool:
        """Whether every passage competes."""
        return bool(self.mask.all())

    def of(self, contents: Collection[str]) -> dict[str, list[Track]]:
        """The tracks of some contents that compete."""
        codes = self.shelf.contents.codes_of(list(contents))
        out = (codes >= 0) & ~self.mask[codes] if len(self.mask) else codes >= 0
        tracks = self.shelf.of([c for c, gone in zip(contents, out, strict=True) if not gone])
        if self.where is None:
            return tracks
        keeps = self.shelf.library.keeps(self.where)
        kept = {content: list(filter(keeps, same)) for content, same in tracks.items()}
        return {content: same for content, same in kept.items() if same}

    def without(self, contents: Iterable[str]) -> tuple[Competing, int]:
        """The same without some contents, and how many tracks that leaves out."""
        gone = self.of(list(contents))
        if not gone:
            return self, 0
        mask = self.mask.copy()
        codes = self.shelf.contents.codes_of(list(gone))
        mask[codes[codes >= 0]] = False
        tracks = sum(map(len, gone.values()))
        left = Competing(
            self.shelf, self.where, mask, self.count - tracks, self.recordings - len(gone)
        )
        return left, tracks
