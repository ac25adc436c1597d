"""Put things into a library some at a time: every change waits for the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from gdr_model.errors import LibraryError

if TYPE_CHECKING:
    from gdr_model.store.library import Library

LATEST_S = 0.5
"""How long anything waits to be stored: a run that is killed loses so much work."""
MOST_BYTES = 16 << 20
"""Latents that wait at most."""


class Together:
    """Changes of a library that are stored together, in the order in which they were given."""

    def __init__(self, library: Library) -> None:
        """Wait for nothing yet."""
        self._library = library
        self._waiting: list[Callable[[], object]] = []
        self._bytes = 0
        self._since_s = 0.0

    def put(self, change: Callable[[], object], size: int = 0) -> None:
        """Make a change soon; `size` is what it holds in memory until then.

        Raises:
            LibraryError: if what waits cannot be stored.
        """
        if not self._waiting:
            self._since_s = time.monotonic()
        self._waiting.append(change)
        self._bytes += size
        if self._bytes > MOST_BYTES:
            self.flush()
        self.look()

    def look(self) -> None:
        """Make the changes that have waited long enough.

        Raises:
            LibraryError: if what waits cannot be stored.
        """
        if self._waiting and time.monotonic() - self._since_s > LATEST_S:
            self.flush()

    def flush(self) -> None:
        """Make all changes that wait.

        Raises:
            LibraryError: if one of them cannot be made; those before it are. If anything else is
                raised, all of them still wait.
        """
        waiting = self._waiting
        if not waiting:
            return
        try:
            with self._library.together():
                for change in waiting:
                    change()
        except LibraryError:
            self._waiting, self._bytes = [], 0
            for change in waiting:
                change()
        self._waiting, self._bytes = [], 0
