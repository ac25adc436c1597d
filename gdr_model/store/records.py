"""The values that a library's store holds, and how it names files."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdr_model.types import PASSAGE_S, Array, LatentSpace


class Stamp(NamedTuple):
    """Size and time of a file, which is taken as unchanged while both are."""

    size: int
    mtime_ns: int


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
