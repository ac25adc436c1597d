"""Which folder of this machine stands for an address, and which address for a folder.

`s3://bucket/music` is `remote/s3/bucket/music` among gdr's own files. A library has that folder as
its root, and its tracks have paths in it, so everything else takes them for files. Those that were
fetched to be played are there; any of them can be deleted.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from gdr_model.errors import LibraryError
from gdr_model.paths import home

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+(.+)", re.DOTALL)
"""Two slashes, or the one that is left of them in a `Path`."""


def is_address(given: Path) -> bool:
    """Whether a path is an address."""
    return _ADDRESS.fullmatch(str(given)) is not None and not given.exists()


def folder_of(address: Path) -> Path:
    """The folder that stands for an address.

    Raises:
        LibraryError: if none can.
    """
    found = _ADDRESS.fullmatch(str(address))
    parts = found[2].rstrip("/").split("/") if found else []
    if found is None or "::" in found[2] or ".." in parts or "@" in parts[0]:
        raise LibraryError(
            f"{str(address).rpartition('@')[2]} cannot be the root of a library; write it as in "
            "s3://bucket/music, without a name or password"
        )
    return _all().joinpath(found[1], *parts)


def address_of(path: Path) -> str | None:
    """The address that a folder or file stands for; None if it is one of this machine."""
    try:
        scheme, *rest = Path(os.path.abspath(path)).relative_to(_all()).parts
    except ValueError:
        return None
    return f"{scheme}://{'/' if scheme == 'file' else ''}{'/'.join(rest)}" if rest else None


def _all() -> Path:
    return Path(os.path.abspath(home() / "remote"))
