"""A dataset: items, each a caption of a track, and the rows that could not be used."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from gdr_model.errors import GdrError
from gdr_model.types import Array


class DatasetError(GdrError):
    """A dataset that is not in its format, or holds nothing usable."""


@dataclass(frozen=True)
class Item:
    """One caption. Its sound is in a file, or already a row of numbers."""

    track: str
    """Identifies the track: splits and correct answers go by it."""
    caption: str
    path: Path | None = None
    row: int | None = None
    """Its row of `Dataset.arrays`."""
    start_s: float | None = None
    """Where in the file the caption applies; None is the beginning."""
    end_s: float | None = None
    """None is the end."""
    split: str = ""
    """As the dataset names it; empty if it names none."""


@dataclass(frozen=True)
class Problem:
    """A row or a file that could not be used."""

    where: str
    """As in `captions.csv, line 7`."""
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True)
class Dataset:
    """Captions of tracks, in the order they were read."""

    name: str
    items: tuple[Item, ...]
    problems: tuple[Problem, ...] = ()
    arrays: Array | None = field(default=None, repr=False, compare=False)  # (R, ...)

    @property
    def tracks(self) -> list[str]:
        """Every track once, in the order of their first captions."""
        return list(dict.fromkeys(item.track for item in self.items))

    def of(self, tracks: Collection[str]) -> Dataset:
        """The captions of some tracks."""
        wanted = set(tracks)
        return replace(self, items=tuple(item for item in self.items if item.track in wanted))

    def first(self, tracks: int) -> Dataset:
        """The captions of the first tracks."""
        return self.of(self.tracks[:tracks])

    def gallery_rows(self) -> list[int]:
        """For each of `tracks` the row of its first caption: `arrays[gallery_rows()]`.

        Raises:
            DatasetError: if the sound is in files.
        """
        rows: dict[str, int] = {}
        for item in self.items:
            if item.row is None:
                raise DatasetError(f"{self.name} holds sound, not arrays; run gdr extract first")
            rows.setdefault(item.track, item.row)
        return list(rows.values())
