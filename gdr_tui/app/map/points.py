"""The map of the library as values: one point per track, grouped by tag or folder.

Plain values, free of Textual and torch.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdr_model.types import Array, Track

COLOURS = 8
"""Groups that can be distinguished; the smallest are merged into the last."""
NAMELESS = "untagged"
OTHERS = "others"


@dataclass(frozen=True)
class Grouping:
    """The group of every track; the largest groups come first."""

    names: tuple[str, ...]
    counts: tuple[int, ...]
    of: NDArray[np.int64]  # (N,)

    @classmethod
    def by(cls, values: Sequence[str]) -> Grouping:
        """Group by a value per track; if there are many values, the rarest share the last group."""
        counted = Counter(value or NAMELESS for value in values)
        ranked = sorted(counted.items(), key=lambda item: (item[0] == NAMELESS, -item[1], item[0]))
        if len(ranked) > COLOURS:
            rest = sum(count for _, count in ranked[COLOURS - 1 :])
            ranked = [*ranked[: COLOURS - 1], (OTHERS, rest)]
        place = {name: at for at, (name, _) in enumerate(ranked)}
        last = len(ranked) - 1
        of = np.array([place.get(value or NAMELESS, last) for value in values], np.int64)
        return cls(tuple(n for n, _ in ranked), tuple(c for _, c in ranked), of)

    @property
    def unsaid(self) -> int:
        """Number of tracks without a group of their own."""
        counted = zip(self.names, self.counts, strict=True)
        return sum(count for name, count in counted if name in (NAMELESS, OTHERS))


@dataclass(frozen=True)
class Mapped:
    """Every track with its position."""

    tracks: tuple[Track, ...]
    xy: Array  # (N, 2), from -1 to 1, y upwards
    method: str
    fitted: int
    groupings: Mapping[str, Grouping] = field(default_factory=dict)
    """What the map can be coloured by: genre, folder."""
    preliminary: bool = False
    """A better projection is being computed."""
    could_be_better: str = ""
    """How to get a better projection."""

    @classmethod
    def of(
        cls,
        tracks: Sequence[Track],
        xy: Array,
        method: str,
        fitted: int,
        *,
        preliminary: bool = False,
        could_be_better: str = "",
    ) -> Mapped:
        """The map with its groups."""
        groupings = {
            "genre": Grouping.by([track.genre for track in tracks]),
            "folder": Grouping.by(folders([track.path for track in tracks])),
        }
        made = cls(tuple(tracks), xy, method, fitted, groupings, preliminary, could_be_better)
        made.at  # noqa: B018 (a tenth of a second for 100,000 tracks: better here than while painting)
        return made

    @cached_property
    def at(self) -> dict[Path, int]:
        """The row of every track."""
        return {track.path: row for row, track in enumerate(self.tracks)}

    @property
    def telling(self) -> str:
        """The grouping that leaves the fewest tracks ungrouped."""
        return min(self.groupings, key=lambda name: self.groupings[name].unsaid, default="")

    def middle(self, paths: Sequence[Path]) -> Array:
        """The mean position (2,) of some tracks; NaN if none of them is on the map."""
        rows = [self.at[path] for path in paths if path in self.at]
        return self.xy[rows].mean(axis=0) if rows else np.full(2, np.nan, np.float32)


@dataclass(frozen=True)
class Course:
    """Where the current query was drawn, and the path of the trail to it."""

    draws: Array  # (Q, 2)
    path: Array  # (S, 2), the current query last


def folders(paths: Sequence[Path]) -> list[str]:
    """For each path, its folder just below the one that contains them all."""
    if not paths:
        return []
    parents = [str(path.parent) for path in paths]
    try:
        base = len(Path(os.path.commonpath(sorted(set(parents)))).parts)
    except ValueError:  # different drives
        base = 1
    return [path.parts[base] if len(path.parts) > base + 1 else "" for path in paths]
