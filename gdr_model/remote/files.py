"""Listing and fetching the files of an address, by fsspec."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from gdr_model.errors import Cancelled, FileUnavailable, Hint, LibraryError, first_line
from gdr_model.remote.places import address_of
from gdr_model.types import Cancel, never

_BLOCK = 1 << 20


class Entry(NamedTuple):
    """A file of an address."""

    name: str
    """Relative to the address."""
    size: int
    mtime_ns: int
    """0 where the system does not say."""


def listed(address: str, cancelled: Cancel = never) -> list[Entry]:
    """All files below an address, without those whose names are no paths of a file system.

    Raises:
        LibraryError: if any folder in it cannot be listed, or what talks to it is not installed.
        Cancelled: when asked.
    """
    try:
        system, top = _opened(address)
        system.invalidate_cache()
        found = dict(_walked(system, top, cancelled))
        if not found and not system.exists(top):
            raise FileNotFoundError("it does not exist")
    except (Cancelled, LibraryError):
        raise
    except Exception as error:  # whatever libraries of a dozen vendors raise
        raise LibraryError(f"{address} cannot be listed ({first_line(error)})") from error
    top = top.rstrip("/") + "/"
    return [
        Entry(path[len(top) :], int(facts.get("size") or 0), _mtime_ns(facts))
        for path, facts in found.items()
        if path.startswith(top) and not {"", ".", ".."} & {*path[len(top) :].split("/")}
    ]


def _walked(system: Any, top: str, cancelled: Cancel) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files below a folder. fsspec's own `find` omits what it cannot list."""
    waiting = [top.rstrip("/")]
    while waiting:
        if cancelled():
            raise Cancelled("stopped")
        folder = waiting.pop()
        for facts in system.ls(folder, detail=True):
            path, kind = str(facts["name"]), facts.get("type", "file")
            if kind == "file":
                yield path, facts
            elif kind == "directory" and path.rstrip("/") != folder and not facts.get("islink"):
                waiting.append(path.rstrip("/"))


@contextmanager
def copied(address: str, cancelled: Cancel = never) -> Iterator[Path]:
    """A copy of a file, which is removed afterwards.

    Raises:
        FileUnavailable: if it cannot be fetched.
    """
    try:
        held = tempfile.TemporaryDirectory(prefix="gdr-")
    except OSError as error:
        raise _not_kept(error) from error
    with held as folder:
        path = Path(folder) / address.rpartition("/")[2]
        _fetch(address, path, cancelled)
        yield path


def at_hand(path: Path) -> None:
    """Fetch a file to where it stands for its address, if it does and is not there yet.

    Raises:
        FileUnavailable: if it cannot be fetched, or not be written.
    """
    address = address_of(path)
    if address is None:
        return
    try:
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=".gdr-", dir=path.parent) as folder:
            part = Path(folder) / path.name
            _fetch(address, part, never)
            os.replace(part, path)
    except OSError as error:
        raise _not_kept(error) from error


def _not_kept(error: OSError) -> FileUnavailable:
    return FileUnavailable(f"a copy of it cannot be written ({error.strerror or error})")


def _fetch(address: str, path: Path, cancelled: Cancel) -> None:
    try:
        system, name = _opened(address)
        with system.open(name, "rb") as source, open(path, "wb") as target:
            while block := source.read(_BLOCK):
                if cancelled():
                    raise Cancelled("stopped")
                target.write(block)
    except Cancelled:
        raise
    except Exception as error:
        raise FileUnavailable(f"it cannot be fetched ({first_line(error)})") from error


def _opened(address: str) -> tuple[Any, str]:
    """A file system, and the path of an address in it.

    It is that of the scheme, whatever the names in it are: fsspec takes `::` for another system.
    """
    try:
        from fsspec import get_filesystem_class
    except ImportError as error:
        raise LibraryError(
            "fsspec, which fetches files, is not installed", Hint.INSTALL, package="gdr-tui[ray]"
        ) from error
    kind: Any = get_filesystem_class(address.partition("://")[0])
    return kind(**kind._get_kwargs_from_urls(address)), str(kind._strip_protocol(address))


def _mtime_ns(facts: dict[str, Any]) -> int:
    """When a file was written, by whichever name its system has for that."""
    for name in ("LastModified", "last_modified", "mtime", "updated", "created"):
        value = facts.get(name)
        if isinstance(value, datetime):
            value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        if isinstance(value, int | float):
            return round(value * 1e9)
    return 0
