"""What a library's store is made of: small values without behaviour, and how names are spelled."""

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
    """What tells, without reading it, that a file has not changed."""

    size: int
    mtime_ns: int


class Sound(NamedTuple):
    """What decoding a file found out."""

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
    """Passages of one space that some track still plays, in the order of their ids."""

    ids: NDArray[np.int64]  # (N,)
    contents: list[str]
    starts_s: Array  # (N,)
    ends_s: Array  # (N,)
    means: Array  # (N, D)


def passage_bounds(seconds: int) -> list[tuple[int, int]]:
    """Cut T latents into the fewest passages of at most `PASSAGE_S`, all about as long.

    Equal cuts leave no short tail: 70 s become 35 + 35 rather than 64 + 6, whose mean would
    weigh six seconds of fade-out as much as a minute of music.
    """
    parts = -(-seconds // PASSAGE_S)
    return [(seconds * i // parts, seconds * (i + 1) // parts) for i in range(parts)]


def key(relative: str) -> bytes:
    """How a path relative to the root is stored: as bytes, with forward slashes.

    Bytes, because a name may hold anything but NUL and a slash; text could not keep it.
    """
    return os.fsencode(relative.replace(os.sep, "/"))


def file_stem(space: LatentSpace, *more: str) -> str:
    """A file name for what belongs to one space: readable, and equal for equal spaces alone."""
    return _stem(replace(space, window_s=float(space.window_s), hop_s=float(space.hop_s)), *more)


def former_stem(space: LatentSpace) -> str:
    """What gdr called the same file while 4 s and 4.0 s had different names; built-in spaces."""
    return _stem(replace(space, window_s=int(space.window_s), hop_s=float(space.hop_s)))


def _stem(space: LatentSpace, *more: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", space.encoder.lower())[:40]
    whole = json.dumps([*astuple(space), *more])
    return f"{slug}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def shown(path: Path) -> str:
    """A path fit for a sentence: what is not valid UTF-8 is replaced."""
    return os.fsencode(path).decode("utf-8", "replace")
