"""Splits by track: what is asked in one part was neither read nor heard in another.

Tracks with the same caption, or the same sound, stay together: they form groups, and folds are
made of groups. A caption of more tracks than a fold holds joins nothing, since its group would be
most of the set; whoever divides a corpus by these splits must leave it out (`corpus.Division`).

The order of the tracks is that of the SHA-256 of seed and name. It is the same on every machine,
with every version of numpy, and whatever order the tracks were read in.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdr_model import atomic, decode, plain
from gdr_model.errors import UsageError
from training.data.items import Dataset, DatasetError

FORMAT = 1
VALIDATION = "validation"
"""Added to the seed for the order in which tracks are chosen to validate on."""

NOTHING = "nothing"
"""Name of a part without tracks."""

Group = tuple[str, ...]


@dataclass(frozen=True)
class Splits:
    """Tracks divided into named parts."""

    dataset: str
    seed: int
    parts: Mapping[str, Group]
    together: tuple[Group, ...] = ()
    """Groups of two tracks or more that have a caption or a sound in common."""

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
    def folds(
        cls,
        dataset: Dataset,
        k: int = 5,
        seed: int = 0,
        sounds: Mapping[str, str] | None = None,
    ) -> Splits:
        """`k` parts named 0 to k - 1, as equal as whole groups allow.

        Without groups the sizes differ by at most one. `sounds` has a fingerprint of each track's
        sound.

        Raises:
            UsageError: if there are too few tracks for k folds, or k is below 2.
        """
        order = _order(dataset.tracks, str(seed))
        if not 2 <= k <= len(order):
            raise UsageError(f"{k} folds of {len(order)} tracks are not possible; use 2 or more")
        together = groups(dataset, sounds or {}, len(order) // k)
        units = _units(order, together)
        if len(units) < k:
            raise UsageError(
                f"{k} folds are not possible: the tracks of {dataset.name} share sounds, and make "
                f"only {len(units)} groups"
            )
        folds: list[list[str]] = [[] for _ in range(k)]
        # The largest first, each to the smallest fold, so that the small ones fill the gaps.
        for unit in sorted(units, key=len, reverse=True):
            min(folds, key=len).extend(unit)
        parts = {str(i): tuple(sorted(fold)) for i, fold in enumerate(folds)}
        return cls(dataset.name, seed, parts, together)

    @classmethod
    def given(cls, dataset: Dataset, sounds: Mapping[str, str] | None = None) -> Splits:
        """The parts that the dataset itself names.

        Raises:
            DatasetError: if it names none, or puts captions of one track into two.
        """
        parts: dict[str, dict[str, None]] = {}
        for item in dataset.items:
            parts.setdefault(item.split, {})[item.track] = None
        if set(parts) <= {""}:
            raise DatasetError(f"{dataset.name} names no splits")
        together = groups(dataset, sounds or {}, min(map(len, parts.values())))
        named = {name: tuple(sorted(found)) for name, found in parts.items()}
        return cls(dataset.name, 0, named, together)

    @classmethod
    def undivided(cls, dataset: Dataset, most: int) -> Splits:
        """Everything in one part, and `NOTHING` to hold out; groups have `most` tracks at most."""
        together = groups(dataset, {}, most)
        parts = {NOTHING: (), "all": tuple(sorted(dataset.tracks))}
        return cls(dataset.name, 0, parts, together)

    def fold(self, held_out: str | int) -> tuple[Group, Group]:
        """The tracks of every other part, and those of this one.

        Raises:
            UsageError: if there is no such part.
        """
        name = str(held_out)
        if name not in self.parts:
            raise UsageError(f"there is no split {name}; there are {', '.join(self.parts)}")
        rest = [t for part, tracks in self.parts.items() if part != name for t in tracks]
        return tuple(sorted(rest)), self.parts[name]

    def validation(self, held_out: str | int, share: float) -> Group:
        """About a `share` of the tracks that are not held out, whole groups of them.

        Raises:
            UsageError: if there is no such part.
        """
        rest, _ = self.fold(held_out)
        room = round(share * len(rest))
        chosen: list[str] = []
        here = set(rest)
        apart = [tuple(t for t in group if t in here) for group in self.together]
        for unit in _units(_order(rest, f"{self.seed}:{VALIDATION}"), apart):
            if len(chosen) + len(unit) <= room:
                chosen += unit
        return tuple(sorted(chosen))

    def check(self, tracks: Iterable[str]) -> None:
        """Refuse a dataset with other tracks than these splits were made for.

        Raises:
            DatasetError: naming a track that only one of them has.
        """
        ours, theirs = {t for part in self.parts.values() for t in part}, set(tracks)
        for track in sorted(ours ^ theirs)[:1]:
            change = "is gone" if track in ours else "is new"
            raise DatasetError(
                f"{self.dataset} has changed since the run was trained: track {track} {change}; "
                "train another run on it"
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
            raw = plain.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DatasetError(f"{unreadable}{error}") from error
        file = decode.into(_SplitsFile, raw, prefix=unreadable, error=DatasetError)
        if file.format != FORMAT:
            raise DatasetError(f"{path} holds splits of format {file.format}, not {FORMAT}")
        if _checksum({k: v for k, v in raw.items() if k != "sha256"}) != file.sha256:
            raise DatasetError(f"{path} was changed after it was written; train another run")
        return cls(file.dataset, file.seed, file.splits, file.together)

    def _content(self) -> dict[str, Any]:
        parts = {name: list(tracks) for name, tracks in self.parts.items()}
        together = [list(group) for group in self.together]
        content = {"format": FORMAT, "dataset": self.dataset, "seed": self.seed, "splits": parts}
        return {**content, "together": together}


@dataclass(frozen=True)
class _SplitsFile:
    """The JSON that `Splits.save` writes."""

    format: int
    dataset: str
    seed: int
    splits: dict[str, tuple[str, ...]]
    sha256: str
    """Checksum of everything else."""
    together: tuple[tuple[str, ...], ...] = ()


def plain_words(caption: str) -> str:
    """A caption without case, punctuation and spacing: captions that are equal then are the same.

    A caption without a letter or a digit stays as it is.
    """
    folded = unicodedata.normalize("NFKC", caption).casefold()
    return " ".join(re.findall(r"\w+", folded)) or caption


def groups(dataset: Dataset, sounds: Mapping[str, str], most: int) -> tuple[Group, ...]:
    """Groups of two tracks or more with the same sound, or connected by equal captions.

    Tracks of one sound, or cut from one file, are always together. Captions join groups as long as
    these hold at most `most` tracks, the rarest captions first.
    """
    home = {track: track for track in dataset.tracks}
    size = dict.fromkeys(home, 1)

    def root(track: str) -> str:
        while home[track] != track:
            home[track] = track = home[home[track]]
        return track

    def join(tracks: Iterable[str], most: int) -> None:
        roots = sorted({root(track) for track in tracks})
        if sum(size[one] for one in roots) <= most:
            for one in roots[1:]:
                home[one] = roots[0]
                size[roots[0]] += size[one]

    heard: dict[str, set[str]] = {}
    said: dict[str, set[str]] = {}
    for item in dataset.items:
        said.setdefault(plain_words(item.caption), set()).add(item.track)
        for key in (sounds.get(item.track), item.path and str(item.path)):
            if key:
                heard.setdefault(key, set()).add(item.track)
    for tracks in heard.values():
        join(tracks, len(home))
    for _, tracks in sorted(said.items(), key=lambda pair: (len(pair[1]), pair[0])):
        join(tracks, most)
    found: dict[str, list[str]] = {}
    for track in home:
        found.setdefault(root(track), []).append(track)
    return tuple(sorted(tuple(sorted(group)) for group in found.values() if len(group) > 1))


def _units(order: Sequence[str], together: Iterable[Group]) -> list[Group]:
    """Groups and single tracks, in the order of the first track of each."""
    group_of = {track: group for group in together for track in group}
    return list(dict.fromkeys(group_of.get(track, (track,)) for track in order))


def _order(tracks: Iterable[str], seed: str) -> list[str]:
    def place(track: str) -> bytes:
        return hashlib.sha256(f"{seed}:{track}".encode("utf-8", "surrogateescape")).digest()

    return sorted(set(tracks), key=place)


def _checksum(content: Mapping[str, Any]) -> str:
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()
