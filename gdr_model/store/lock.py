"""The lock of a store: one program indexes a folder at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from gdr_model.atomic import sweep
from gdr_model.errors import StoreUnavailable
from gdr_model.store.records import shown

_FILE = "ingest.lock"
_PATIENCE_S = 0.3
"""Whoever asks whether the lock is held holds it for a moment."""


@contextmanager
def held(store: Path, whose: str) -> Iterator[None]:
    """Hold the lock of a store, and remove what killed writers left in it.

    Raises:
        StoreUnavailable: naming `whose` it is, if another program holds it or the store cannot be
            written.
    """
    lock = FileLock(store / _FILE, timeout=_PATIENCE_S)
    try:
        lock.acquire()
    except Timeout:
        raise StoreUnavailable(f"another gdr is indexing {whose}; wait until it is done") from None
    except OSError as error:
        raise StoreUnavailable(f"{shown(store)} cannot be written: {error.strerror}") from error
    try:
        for folder in (store, *store.glob("*/"), *store.glob("index/*/")):
            sweep(folder)
        yield
    finally:
        lock.release()


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
