"""Which files of some libraries hold the same recording: copies, and nearly equal encodings.

Files of equal sound have the same content already. Of others, those of about equal length are
proposed by the mean of their latents and compared over the whole length (`likeness`); where that
leaves it open, their sound is compared (`listening`). Nothing is stored: a pair is compared when
one of the two turns up, and the verdict is remembered.

Shapes: R recordings, D latent width.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import DecodeError, FileUnavailable, LibraryError
from gdr_model.patience import PATIENCE_S
from gdr_model.search.nearest import OpenLibrary
from gdr_model.search.recordings import listening
from gdr_model.search.recordings.likeness import EQUAL_ONLY, SHORTEST_S, Bounds, Likeness, likeness
from gdr_model.search.recordings.preference import preference
from gdr_model.store.folder.presence import missing
from gdr_model.store.records import Passages
from gdr_model.types import Array, Track

AGAIN_S = 30.0
"""Seconds after which files that could not be read are tried again."""
_UNREAD = -1.0


class Copies:
    """The recordings of some opened libraries, each as the contents that hold it."""

    def __init__(self, libraries: Sequence[OpenLibrary], bounds: Bounds) -> None:
        """Compare nothing yet."""
        self._libraries = libraries
        self._bounds = bounds
        self._table: _Table | None = None
        self._likenesses: dict[tuple[str, str], Likeness] = {}
        self._agreements: dict[tuple[str, str], float] = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        self._unread: set[tuple[str, str]] = set()
        self._listens = True
        self._again_at = float("inf")

    def group(self, content: str) -> tuple[str, ...]:
        """The contents of the recording that a content belongs to, the best file's first."""
        if self._bounds == EQUAL_ONLY:
            return (content,)
        table = self._fresh()
        if table.row_of(content) is None:
            return (content,)
        groups = self._groups  # another thread can begin new ones
        if content not in groups:
            for group in self._parted(self._connected(content, table)):
                groups.update(dict.fromkeys(group, group))
        return groups[content]

    def groups(self) -> Iterator[tuple[str, ...]]:
        """Every recording, in the order of its best file."""
        contents = self.tracks().values()
        best = sorted((min(same, key=preference) for same in contents), key=lambda t: t.path)
        seen: set[str] = set()
        for track in best:
            if track.content not in seen:
                group = self.group(track.content)
                seen.update(group)
                yield group

    def tracks(self) -> dict[str, list[Track]]:
        """The tracks of all libraries, by content."""
        merged: dict[str, list[Track]] = {}
        for opened in self._libraries:
            for content, same in opened.tracks.everything().items():
                merged.setdefault(content, []).extend(same)
        return merged

    def _fresh(self) -> _Table:
        """The table of what the libraries hold now.

        Groups are found again where it changed, and where files could not be read for a while.
        """
        passages = [opened.index.passages for opened in self._libraries]
        table = self._table
        if table is None or any(a is not b for a, b in zip(table.of, passages, strict=True)):
            self._table = table = _Table.read(self._libraries)
            self._groups = {}
        if time.monotonic() >= self._again_at:
            self._groups, self._unread = {}, set()
            self._listens, self._again_at = True, float("inf")
        return table

    def _connected(self, content: str, table: _Table) -> set[str]:
        """All contents that a chain of equal pairs leads to."""
        found, waiting = {content}, [content]
        while waiting:
            content = waiting.pop()
            for other in table.near(content, self._bounds):
                if other not in found and self._equal(content, other):
                    found.add(other)
                    waiting.append(other)
        return found

    def _parted(self, contents: set[str]) -> Iterator[tuple[str, ...]]:
        """Groups in which every file equals the best one.

        So a chain of near copies does not join different recordings.
        """
        left = sorted(contents, key=self._best)
        while left:
            first, *others = left
            group = (first, *(other for other in others if self._equal(first, other)))
            left = [content for content in left if content not in group]
            yield group

    def _best(self, content: str) -> tuple[object, ...]:
        """What the best file of a content is sorted by."""
        same = [t for opened in self._libraries for t in opened.tracks.get(content, ())]
        return (*min(map(preference, same)), content) if same else (2, content)

    def _equal(self, one: str, other: str) -> bool:
        """Whether two contents are copies."""
        pair = (one, other) if one < other else (other, one)
        if pair not in self._likenesses:
            try:
                alike = likeness(
                    self._latents(pair[0]), self._latents(pair[1]), self._bounds.surely
                )
            except LibraryError:  # damaged or forgotten since; the next index run reports it
                return False
            self._likenesses[pair] = alike
        alike = self._likenesses[pair]
        if alike.reaches(self._bounds.surely) or not alike.reaches(self._bounds.perhaps):
            return alike.reaches(self._bounds.surely)
        return self._agreement(*pair) >= self._bounds.agreement

    def _agreement(self, one: str, other: str) -> float:
        """How far the sound of two contents agrees; -1 where a file cannot be read now."""
        pair = one, other
        if pair not in self._agreements:
            if not self._listens or pair in self._unread:
                return _UNREAD
            try:
                self._agreements[pair] = listening.agreement(*self._there(pair))
            except (FileUnavailable, OSError, LibraryError):
                self._unread.add(pair)
                self._try_again_later()
                return _UNREAD
            except DecodeError:
                self._agreements[pair] = _UNREAD
        return self._agreements[pair]

    def _try_again_later(self) -> None:
        self._again_at = min(self._again_at, time.monotonic() + AGAIN_S)

    def _there(self, contents: tuple[str, str]) -> list[Path]:
        """A file of each content that is there now.

        Raises:
            LibraryError: if there is none.
        """
        paths = [
            [t.path for opened in self._libraries for t in opened.tracks.get(content, ())]
            for content in contents
        ]
        begun = time.monotonic()
        away = missing(path for same in paths for path in same)
        if time.monotonic() - begun >= PATIENCE_S:
            # A disk that hangs is waited for once, not once for every pair.
            self._listens = False
            self._try_again_later()
        found = [next((path for path in same if path not in away), None) for same in paths]
        there = [path for path in found if path is not None]
        if len(there) < len(paths):
            raise LibraryError("the file is not there now")
        return there

    def _latents(self, content: str) -> Array:
        """Unit rows (T, D) of a content."""
        for opened in self._libraries:
            if content in opened.tracks:
                return opened.whitening.apply(opened.library.latents(content, opened.space))
        raise LibraryError(f"{content} is in no library")


@dataclass(frozen=True)
class _Table:
    """Library, code and length of every content, by length."""

    libraries: Sequence[OpenLibrary]
    of: list[Passages]
    """What it was read from."""
    shelves: NDArray[np.int64]  # (R,)
    """The library of each content, as its number."""
    codes: NDArray[np.int64]  # (R,)
    durations_s: NDArray[np.float32]  # (R,)
    rows: list[NDArray[np.int64]]
    """For each library the row of each of its codes; -1 for a content that an earlier one has."""

    @classmethod
    def read(cls, libraries: Sequence[OpenLibrary]) -> _Table:
        """Read every content that has passages and a track once."""
        shelves, codes, durations_s = [], [], []
        for number, opened in enumerate(libraries):
            passages = opened.index.passages
            contents = passages.contents
            fresh = opened.tracks.all.mask.copy()
            for other in libraries[:number]:
                names = other.index.passages.contents.names[other.tracks.all.mask]
                fresh &= ~np.isin(contents.names, names)
            codes.append(np.flatnonzero(fresh))
            shelves.append(np.full(len(codes[-1]), number))
            lasts = (contents.starts + contents.counts - 1)[codes[-1]]
            durations_s.append(passages.ends_s[lasts])
        lengths = np.concatenate(durations_s) if libraries else np.empty(0, np.float32)
        order = np.argsort(lengths, kind="stable")
        of, code = np.concatenate(shelves)[order], np.concatenate(codes)[order]
        rows = []
        for number, opened in enumerate(libraries):
            rows.append(np.full(len(opened.index.passages.contents.names), -1))
            rows[-1][code[of == number]] = np.flatnonzero(of == number)
        passages_of = [opened.index.passages for opened in libraries]
        return cls(libraries, passages_of, of, code, lengths[order], rows)

    def row_of(self, content: str) -> int | None:
        """The row of a content, if it has one."""
        for passages, rows in zip(self.of, self.rows, strict=True):
            code = int(passages.contents.codes_of([content])[0])
            if code >= 0 and rows[code] >= 0:
                return int(rows[code])
        return None

    def near(self, content: str, bounds: Bounds) -> Iterator[str]:
        """The contents that can be copies of one, by length and mean."""
        row = self.row_of(content)
        if row is None:
            return
        length_s = self.durations_s[row]
        if length_s < SHORTEST_S - 1:  # a second less, because latents are whole seconds
            return
        first = int(np.searchsorted(self.durations_s, length_s - bounds.longer_s, "left"))
        last = int(np.searchsorted(self.durations_s, length_s + bounds.longer_s, "right"))
        alone = self.libraries[self.shelves[row]].index.recordings[self.codes[row]]
        alike: list[int] = []
        for number, opened in enumerate(self.libraries):
            there = first + np.flatnonzero(self.shelves[first:last] == number)
            codes = self.codes[there]
            alike += there[opened.index.recordings.at_least(bounds.mean, alone, codes)].tolist()
        for other in sorted(alike):
            if other != row:
                contents = self.of[self.shelves[other]].contents
                yield contents.names[self.codes[other]].decode()
