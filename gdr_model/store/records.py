"""The values that a library's store holds, and how it names files."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from gdr_model.types import PASSAGE_S, Array, LatentSpace


class Stamp(NamedTuple):
    """Size and times of a file."""

    size: int
    mtime_ns: int
    ctime_ns: int | None = None
    """When the file or anything about it changed; None if that is unknown."""

    def same_sound(self, other: Stamp) -> bool:
        """Whether the sound is taken as unchanged: it is while size and time are."""
        return self[:2] == other[:2]

    def nearly(self, other: Stamp) -> bool:
        """The same, on file systems that round times (FAT to two seconds)."""
        return self.size == other.size and abs(self.mtime_ns - other.mtime_ns) <= 2_000_000_000


class Reason(StrEnum):
    """Why a file or folder is left out of a library."""

    KIND = "kind"
    """A file of another kind: its suffix is none that is read."""
    HIDDEN = "hidden"
    """A file whose name hides it and that is not music."""
    EXCLUDED = "excluded"
    """Excluded by a glob."""
    SYSTEM = "system"
    """A bin, a snapshot, or a folder of a program."""
    MARKER = "marker"
    """A folder that holds the marker file."""
    IRREGULAR = "irregular"
    """A pipe, a socket or a device."""


class LeftOut(NamedTuple):
    """A file or folder that a scan did not take."""

    name: bytes
    reason: Reason
    kind: str = ""
    """The suffix of a file of another kind, in lower case."""

    @classmethod
    def of_row(cls, name: bytes, reason: str, kind: str) -> LeftOut:
        """What was stored."""
        return cls(name, Reason(reason), kind)


class Sound(NamedTuple):
    """What decoding reveals about a file."""

    content: str
    duration_s: float
    loudness_db: float


@dataclass(frozen=True)
class Failure:
    """A file that could not be read."""

    path: Path
    reason: str
    at: float
    """Seconds since 1970."""


class Contents(Sequence[str]):
    """The content of every passage; one that many passages have is held once."""

    def __init__(self, names: NDArray[np.bytes_], codes: NDArray[np.int32]) -> None:
        """Take the different contents (R,), and for every passage the row of its own (N,)."""
        self.names = names
        self.codes = codes

    @classmethod
    def of(cls, contents: Iterable[str]) -> Contents:
        """Contents in the order of their passages."""
        known: dict[str, int] = {}
        codes = [known.setdefault(content, len(known)) for content in contents]
        return cls(as_names(known), np.array(codes, np.int32))

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> list[str]: ...

    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return list(self)[row]
        return str(self.names[self.codes[row]].decode())

    def __iter__(self) -> Iterator[str]:
        names = [name.decode() for name in self.names.tolist()]
        return (names[code] for code in self.codes.tolist())

    def codes_of(self, contents: Sequence[str]) -> NDArray[np.int64]:
        """The code of each of some contents, -1 for one that no passage has."""
        if not len(self.names) or not contents:
            return np.full(len(contents), -1, np.int64)
        order, wanted = self._order, as_names(contents)
        places = np.minimum(np.searchsorted(self.names, wanted, sorter=order), len(order) - 1)
        found = order[places]
        return np.where(self.names[found] == wanted, found, -1)

    def followed_by(self, other: Contents) -> Contents:
        """These, and then others, which can be of the same contents."""
        known = self.codes_of([name.decode() for name in other.names.tolist()])
        fresh = known < 0
        known[fresh] = len(self.names) + np.arange(np.count_nonzero(fresh))
        names = np.concatenate([self.names, other.names[fresh]])
        return Contents(names, np.concatenate([self.codes, known[other.codes].astype(np.int32)]))

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first passage of each content (R,), whose passages follow one another."""
        return np.flatnonzero(np.append(True, np.diff(self.codes) != 0)[: len(self.codes)])

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many passages each content has (R,)."""
        return np.diff(np.append(self.starts, len(self.codes)))

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        return np.argsort(self.names, kind="stable")


def as_names(contents: Iterable[str]) -> NDArray[np.bytes_]:
    """Contents as an array of bytes."""
    return np.array([content.encode() for content in contents] or [], np.bytes_)


@dataclass(frozen=True, eq=False)
class Passages:
    """Passages of one space whose content some track has, ordered by id."""

    ids: NDArray[np.int64]  # (N,)
    contents: Contents
    starts_s: Array  # (N,)
    ends_s: Array  # (N,)
    mean_rows: NDArray[np.int64]  # (N,)
    """Where the mean of each is in the file of means."""
    read_means: Callable[[NDArray[np.int64], bool], Array]
    """Reads rows (N, D) of that file; the second argument says whether checksums are compared."""

    def followed_by(self, other: Passages) -> Passages:
        """These and then others of the same space, whose ids are higher."""
        return Passages(
            np.concatenate([self.ids, other.ids]),
            self.contents.followed_by(other.contents),
            np.concatenate([self.starts_s, other.starts_s]),
            np.concatenate([self.ends_s, other.ends_s]),
            np.concatenate([self.mean_rows, other.mean_rows]),
            self.read_means,
        )


def passage_bounds(seconds: int) -> list[tuple[int, int]]:
    """Cut T latents into the fewest passages of at most `PASSAGE_S`, of about equal length.

    Equal cuts avoid a short tail: 70 s become 35 + 35 rather than 64 + 6, where six seconds of
    fade-out would count as much as a minute of music.
    """
    parts = -(-seconds // PASSAGE_S)
    return [(seconds * i // parts, seconds * (i + 1) // parts) for i in range(parts)]


def key(relative: str) -> bytes:
    """The stored form of a path relative to the root: bytes, with forward slashes.

    Bytes, because a name can hold anything but NUL and a slash, which text cannot represent.
    """
    return os.fsencode(relative.replace(os.sep, "/"))


def around(name: bytes) -> Iterator[bytes]:
    """A key, and those of the folders around it, the root excepted."""
    while name:
        yield name
        name = name.rpartition(b"/")[0]


def within(folder: bytes) -> tuple[bytes, bytes | None]:
    """The least key in a folder, and the least one after it; the root holds every key."""
    return (folder + b"/", folder + b"0") if folder else (b"", None)  # "0" follows "/"


def file_stem(space: LatentSpace, *more: str) -> str:
    """A file name for data of one space: readable, and equal only for equal spaces."""
    return _stem(replace(space, window_s=float(space.window_s), hop_s=float(space.hop_s)), *more)


def former_stem(space: LatentSpace) -> str:
    """The name built-in spaces had while a window of 4 s and one of 4.0 s gave different names."""
    return _stem(replace(space, window_s=int(space.window_s), hop_s=float(space.hop_s)))


def _stem(space: LatentSpace, *more: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", space.encoder.lower())[:40]
    whole = json.dumps([*astuple(space), *more])
    return f"{slug}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def shown(path: Path) -> str:
    """A path to show in a sentence; bytes that are not valid UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")
