"""The lock of a store: one program indexes a folder at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from gdr_model.errors import StoreUnavailable

_FILE = "ingest.lock"


@contextmanager
def held(store: Path, whose: str) -> Iterator[None]:
    """Hold the lock of a store.

    Raises:
        StoreUnavailable: naming `whose` it is, if another program holds it.
    """
    try:
        with FileLock(store / _FILE, timeout=0):
            yield
    except Timeout:
        raise StoreUnavailable(f"another gdr is indexing {whose}; wait until it is done") from None


def is_held(store: Path) -> bool:
    """Whether some program holds the lock of a store; a store that cannot be asked is free."""
    if not (store / _FILE).exists():
        return False
    try:
        with FileLock(store / _FILE, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False
