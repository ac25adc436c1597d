"""Splits by track: captions of one track are never on two sides.

The order of the tracks is that of the SHA-256 of seed and name. It is the same on every machine,
with every version of numpy, and whatever order the tracks were read in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdr_model import atomic, decode
from gdr_model.errors import UsageError
from training.data.items import Dataset, DatasetError

FORMAT = 1


@dataclass(frozen=True)
class Splits:
    """Tracks divided into named parts."""

    dataset: str
    seed: int
    parts: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        """Refuse a track that is in two parts.

        Raises:
            DatasetError: naming it.
        """
        home: dict[str, str] = {}
        for part, tracks in self.parts.items():
            for track in tracks:
                if track in home:
                    raise DatasetError(
                        f"track {track} of {self.dataset} is in {home[track]} and in {part}"
                    )
                home[track] = part

    @classmethod
    def by_share(cls, dataset: Dataset, shares: Mapping[str, float], seed: int = 0) -> Splits:
        """Parts with about these shares of the tracks, as in `{"train": 0.8, "test": 0.2}`.

        Raises:
            UsageError: if the shares do not add to one, or leave a part without a track.
        """
        if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-6:
            raise UsageError("the shares of a split must be above 0 and add to 1")
        order = _order(dataset.tracks, seed)
        parts: dict[str, tuple[str, ...]] = {}
        share, begin = 0.0, 0
        for name, more in shares.items():
            share += more
            end = round(share * len(order))
            parts[name] = tuple(sorted(order[begin:end]))
            begin = end
            if not parts[name]:
                raise UsageError(f"{len(order)} tracks are too few: {name} would have none")
        return cls(dataset.name, seed, parts)

    @classmethod
    def folds(cls, dataset: Dataset, k: int = 5, seed: int = 0) -> Splits:
        """`k` parts named 0 to k - 1, whose sizes differ by at most one.

        Raises:
            UsageError: if there are too few tracks for k folds, or k is below 2.
        """
        order = _order(dataset.tracks, seed)
        if not 2 <= k <= len(order):
            raise UsageError(f"{k} folds of {len(order)} tracks are not possible; use 2 or more")
        return cls(dataset.name, seed, {str(i): tuple(sorted(order[i::k])) for i in range(k)})

    @classmethod
    def given(cls, dataset: Dataset) -> Splits:
        """The parts that the dataset itself names.

        Raises:
            DatasetError: if it names none, or puts captions of one track into two.
        """
        parts: dict[str, dict[str, None]] = {}
        for item in dataset.items:
            parts.setdefault(item.split, {})[item.track] = None
        if set(parts) <= {""}:
            raise DatasetError(f"{dataset.name} names no splits")
        return cls(dataset.name, 0, {name: tuple(sorted(found)) for name, found in parts.items()})

    def fold(self, held_out: str | int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The tracks of every other part, and those of this one.

        Raises:
            UsageError: if there is no such part.
        """
        name = str(held_out)
        if name not in self.parts:
            raise UsageError(f"there is no split {name}; there are {', '.join(self.parts)}")
        rest = [t for part, tracks in self.parts.items() if part != name for t in tracks]
        return tuple(sorted(rest)), self.parts[name]

    def check(self, dataset: Dataset) -> None:
        """Refuse a dataset with other tracks than these splits were made for.

        Raises:
            DatasetError: naming a track that only one of them has.
        """
        ours = {track for tracks in self.parts.values() for track in tracks}
        theirs = set(dataset.tracks)
        for track in sorted(ours ^ theirs)[:1]:
            has, lacks = ("splits", "dataset") if track in ours else ("dataset", "splits")
            raise DatasetError(
                f"the splits were made for other tracks: the {has} of {dataset.name} hold "
                f"{track}, the {lacks} do not"
            )

    def save(self, path: Path) -> None:
        """Write JSON with its own checksum."""
        content = self._content()
        whole = {**content, "sha256": _checksum(content)}
        atomic.write_text(path, json.dumps(whole, indent=1, ensure_ascii=True) + "\n")

    @classmethod
    def read(cls, path: Path) -> Splits:
        """Read what `save` wrote.

        Raises:
            DatasetError: if it cannot be read, or was changed since.
        """
        unreadable = f"{path} cannot be read as splits: "
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DatasetError(f"{unreadable}{error}") from error
        file = decode.into(_SplitsFile, raw, prefix=unreadable, error=DatasetError)
        if file.format != FORMAT:
            raise DatasetError(f"{path} holds splits of format {file.format}, not {FORMAT}")
        if _checksum({k: v for k, v in raw.items() if k != "sha256"}) != file.sha256:
            raise DatasetError(f"{path} was changed after it was written; make the splits again")
        return cls(file.dataset, file.seed, file.splits)

    def _content(self) -> dict[str, Any]:
        parts = {name: list(tracks) for name, tracks in self.parts.items()}
        return {"format": FORMAT, "dataset": self.dataset, "seed": self.seed, "splits": parts}


@dataclass(frozen=True)
class _SplitsFile:
    """The JSON that `Splits.save` writes."""

    format: int
    dataset: str
    seed: int
    splits: dict[str, tuple[str, ...]]
    sha256: str
    """Checksum of everything else."""


def _order(tracks: Iterable[str], seed: int) -> list[str]:
    def place(track: str) -> bytes:
        return hashlib.sha256(f"{seed}:{track}".encode("utf-8", "surrogateescape")).digest()

    return sorted(set(tracks), key=place)


def _checksum(content: Mapping[str, Any]) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()
