"""The folders of gdr's own files; none is inside a music folder.

`GDR_HOME` overrides the platform's user data directory.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import platformdirs

from gdr_model.patience import NAMED_S, real


def home() -> Path:
    """The folder of all stores, the settings and the user's models."""
    override = os.environ.get("GDR_HOME")
    return Path(override).expanduser() if override else platformdirs.user_data_path("gdr", False)


def store_of(root: Path) -> Path:
    """The store of one library: a readable slug and a hash of the absolute path."""
    return home() / "libraries" / store_name(real(root, NAMED_S))


def store_name(real_root: str) -> str:
    """The name of a store, by the path of its root without symbolic links."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", Path(real_root).name).strip("-")[:40]
    return f"{slug or 'root'}-{hashlib.sha256(os.fsencode(real_root)).hexdigest()[:12]}"


def inside(path: Path, root: Path) -> Iterator[tuple[Path, str]]:
    """The ways in which a file or folder is inside a root, whichever links lead to it.

    Yields:
        The root as this path spells it, and the path relative to it.
    """
    absolute, root = Path(os.path.abspath(path)), Path(os.path.abspath(root))
    if absolute.is_relative_to(root) and absolute != root:
        yield root, str(absolute.relative_to(root))
    real_root = real(root)
    for above in absolute.parents:
        if above != root and real(above) == real_root:
            yield above, str(absolute.relative_to(above))
    real_path = real(absolute)
    if real_path != str(absolute) and real_path.startswith(real_root.rstrip(os.sep) + os.sep):
        yield root, os.path.relpath(real_path, real_root)


def identity(path: Path) -> bytes:
    """Equal for one file by whatever links its folder is reached; a link itself is a file."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.fsencode(os.path.join(real(folder), name))


def spelled_by(roots: Iterable[Path]) -> Callable[[Path], Path]:
    """A function that spells a path as its root is spelled, if it is in one by any links."""
    known = [(os.path.join(real(root), ""), root) for root in roots]

    def spelled(path: Path) -> Path:
        file = os.fsdecode(identity(path))
        for prefix, root in known:
            if file.startswith(prefix):
                return root / file[len(prefix) :]
        return path

    return spelled


def models() -> Path:
    """The folder of models that the user has pulled or converted."""
    return home() / "models"
