"""Memory for decoded sound: arrays that grow, and the room that decodings share.

Headers are not believed: a file of half a megabyte can hold hours of silence and announce
nothing. So a decoding asks its share for room whenever its array grows, and waits while the room
is full. The oldest share never waits: sounds are used in the order in which they were begun, and
if the first had to wait for those after it, nothing would ever be released.

    room = Room()
    share = room.share()                                  # in the order of use
    audio = decode(path, rate_hz, share=share)            # in a thread; waits when room is short
    ...                                                   # use it
    share.release()                                       # whatever happened

At most `limit` bytes are held, plus what the oldest sound needs beyond that.
"""

from __future__ import annotations

import threading

import numpy as np

from gdr_model.errors import Cancelled
from gdr_model.types import Array, Cancel, never

LIMIT = 1 << 28
"""Bytes: over an hour of sound at 16 kHz."""

_POLL_S = 0.1
_LEAST = 1 << 20
"""Samples that an array has room for once it has any."""


class Room:
    """A limit on the memory that several decodings take together."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._held: dict[Share, int] = {}  # in the order of use

    def share(self) -> Share:
        """A share for the next decoding, after all that were given out before."""
        with self._changed:
            share = Share(self)
            self._held[share] = 0
            return share

    @property
    def held(self) -> int:
        """Bytes that are held now."""
        with self._changed:
            return sum(self._held.values())

    def _take(self, share: Share, size: int, cancelled: Cancel) -> None:
        with self._changed:
            while not self._fits(share, size):
                if cancelled():
                    raise Cancelled("stopped")
                self._changed.wait(_POLL_S)
            if share in self._held:
                self._held[share] = size
                self._changed.notify_all()

    def _fits(self, share: Share, size: int) -> bool:
        held = self._held
        if share not in held or size <= held[share] or share is next(iter(held)):
            return True
        return sum(held.values()) - held[share] + size <= self._limit

    def _release(self, share: Share) -> None:
        with self._changed:
            self._held.pop(share, None)
            self._changed.notify_all()


class Share:
    """What one decoding holds of a room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def take(self, size: int, cancelled: Cancel = never) -> None:
        """Hold `size` bytes from now on, more or less than before; wait until they fit.

        Raises:
            Cancelled: when asked while waiting.
        """
        self._room._take(self, size, cancelled)

    def release(self) -> None:
        """Give everything back; can be called twice."""
        self._room._release(self)


class GrowingArray:
    """An array that grows in place: joining a list of blocks would need twice the memory."""

    def __init__(self, share: Share | None = None, cancelled: Cancel = never) -> None:
        self.size = 0
        self._share = share
        self._cancelled = cancelled
        self._samples = np.empty(0, np.float32)

    def append(self, block: Array) -> None:
        """Add a block of any shape, flattened; waits for room if there is a share.

        Raises:
            Cancelled: when asked while waiting.
        """
        end = self.size + block.size
        if end > self._samples.size:
            self._resize(max(end, _LEAST, self._samples.size * 3 // 2))
        self._samples[self.size : end] = block.reshape(-1)
        self.size = end

    def finished(self) -> Array:
        """Everything appended so far (N,); nothing can be appended afterwards."""
        self._resize(self.size)
        return self._samples

    def discard(self) -> None:
        """Give the memory back, although an error that is kept may still refer to this object."""
        self.size = 0
        self._samples = np.empty(0, np.float32)
        if self._share:
            self._share.take(0)

    def _resize(self, size: int) -> None:
        if self._share:
            self._share.take(size * self._samples.itemsize, self._cancelled)
        self._samples.resize(size, refcheck=False)
