"""The contents of the libraries, folder by folder, with the files that could not be read."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from gdr_model.store.records import Failure, LeftOut, Sound, Stamp


@dataclass(frozen=True)
class Folder:
    """A folder of music with everything below it."""

    root: Path
    path: Path
    depth: int = 0
    """0 for the root of a library."""
    tracks: int = 0
    duration_s: float = 0.0
    failures: tuple[Failure, ...] = ()
    problem: str = ""
    """Why it cannot be read now; what was indexed is kept."""
    left_out: tuple[LeftOut, ...] = ()
    """Files and folders in it that are not taken."""


@dataclass
class _Sum:
    tracks: int = 0
    duration_s: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def folders(
    root: Path,
    stamps: Mapping[bytes, tuple[Stamp, Sound]],
    failures: Iterable[Failure],
    problem: str = "",
    left_out: Iterable[LeftOut] = (),
    away: Collection[bytes] = (),
) -> list[Folder]:
    """The root and every folder below it that holds music, in the order of a tree.

    Args:
        root: the music folder.
        stamps: its tracks by their keys.
        failures: files that could not be read.
        problem: why the root cannot be read now.
        left_out: what is not taken.
        away: keys of folders that hold tracks and are empty now.
    """
    sums: dict[PurePosixPath, _Sum] = {PurePosixPath(): _Sum()}
    above: dict[bytes, list[_Sum]] = {}

    def sums_of(name: bytes) -> list[_Sum]:
        """The sums of the folder that a file is in, and of all folders above it."""
        folder = name.rpartition(b"/")[0]
        if folder not in above:
            inner = PurePosixPath(folder.decode("utf-8", "surrogateescape"))
            way = [inner, *inner.parents] if folder else [PurePosixPath()]
            above[folder] = [sums.setdefault(each, _Sum()) for each in way]
        return above[folder]

    for name, (_, sound) in stamps.items():
        for each in sums_of(name):
            each.tracks += 1
            each.duration_s += sound.duration_s
    for failure in failures:
        relative = failure.path.relative_to(root).as_posix()
        for each in sums_of(relative.encode("utf-8", "surrogateescape")):
            each.failures.append(failure)
    for out in left_out:
        place = PurePosixPath(os.fsdecode(out.name)).parent
        for inner in (place, *place.parents):
            if inner in sums:
                sums[inner].left_out.append(out)
    gone = {PurePosixPath(os.fsdecode(name)) for name in away}
    return [
        Folder(
            root,
            root / inner,
            len(inner.parts),
            total.tracks,
            total.duration_s,
            tuple(total.failures),
            _problem(inner, problem, gone),
            tuple(total.left_out),
        )
        for inner, total in sorted(sums.items(), key=lambda item: item[0].parts)
    ]


def _problem(inner: PurePosixPath, of_root: str, gone: Collection[PurePosixPath]) -> str:
    if not inner.parts:
        return of_root
    if any(each in gone for each in (inner, *inner.parents)):
        return "not there now; its tracks are kept until gdr forget removes them"
    return ""
