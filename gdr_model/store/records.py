"""The values that a library's store holds, and how it names files."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

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


@dataclass(frozen=True)
class Passages:
    """Passages of one space whose content some track has, ordered by id."""

    ids: NDArray[np.int64]  # (N,)
    contents: list[str]
    starts_s: Array  # (N,)
    ends_s: Array  # (N,)
    means: Array  # (N, D)


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
