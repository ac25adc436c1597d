"""The contents of the libraries, folder by folder, with the files that could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from gdr_model.store.records import Failure, Sound, Stamp


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


@dataclass
class _Sum:
    tracks: int = 0
    duration_s: float = 0.0
    failures: list[Failure] = field(default_factory=list)


def folders(
    root: Path,
    stamps: Mapping[bytes, tuple[Stamp, Sound]],
    failures: Iterable[Failure],
    problem: str = "",
) -> list[Folder]:
    """The root and every folder below it that holds music, in the order of a tree."""
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
    return [
        Folder(
            root,
            root / inner,
            len(inner.parts),
            total.tracks,
            total.duration_s,
            tuple(total.failures),
            "" if inner.parts else problem,
        )
        for inner, total in sorted(sums.items(), key=lambda item: item[0].parts)
    ]
