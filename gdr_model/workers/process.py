"""What runs in a process that reads files: one after the other, as its parent asks.

The parent sends a `Task` and receives an `Outcome`. In between it can receive the hash of a sound
(a string), and then answers whether the latents are wanted. All the while `pulse` shows when this
process last did anything, and what it was about to do, and `until` until when it can work: a parent
that is busy, or waits for someone, lets it pause.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

from gdr_model.audio import Tags
from gdr_model.audio.held import LIMIT
from gdr_model.errors import DecodeError, FileUnavailable, GdrError
from gdr_model.remote.files import copied
from gdr_model.types import AudioEncoder
from gdr_model.workers import guard, tasks
from gdr_model.workers.room import Numbers, Room
from gdr_model.workers.tasks import Found, Outcome, Task

TAGS, SOUND, LATENTS = 1.0, 2.0, 3.0
"""What a process is doing."""
_PAUSED_S = 0.02
_LOOK_S = 0.005
"""How often a process looks at the memory it holds."""
_TO_ENCODE = 24 << 20
"""Bytes that the first sound takes to encode; of others, it is what the one before took."""


class Terms(NamedTuple):
    """How processes read; the same for all."""

    load: Callable[[], AudioEncoder] | None
    """Gives the encoder; None where the parent encodes."""
    sample_rate_hz: int
    most: int
    """Samples to hold of a file."""
    niceness: int


def main(
    parent: Connection,
    pulse: Numbers,
    until: Numbers,
    room: Room,
    place: int,
    terms: Terms,
    scratch: str,
) -> None:
    """Read files until the parent hangs up.

    Args:
        parent: the other end.
        pulse: the time of the last sign of life, and what is being done.
        until: the time after which everything pauses; the parent puts it off while it works.
        room: what all processes hold together.
        place: of this one in it.
        terms: how to read.
        scratch: a folder for temporary files, which the parent removes.
    """
    guard.settle(terms.niceness)
    tempfile.tempdir = scratch
    try:
        encoder = terms.load() if terms.load else None
    except Exception as error:
        parent.send(_sendable(error))
        return
    memory = _Memory(room, place)
    reading = _Reading(parent, pulse, until, terms, encoder, memory)
    reading.alive()
    parent.send(None)
    while True:
        try:
            task = parent.recv()
        except EOFError:
            return
        parent.send(reading.outcome(task))
        memory.done()


class _Memory:
    """What this process holds, of what all can hold together."""

    def __init__(self, room: Room, place: int) -> None:
        self._own = guard.Memory()
        self._room = room
        self._place = place
        self._looked_s = 0.0
        self._short = False
        self._most = 0
        self._to_encode = _TO_ENCODE
        self._before = 0
        self._since = 0
        self._reserved = 0
        self._encodes = False

    def is_short(self) -> bool:
        """Whether this process has to wait for memory; what it doesn't use is given back then.

        Where it has begun to encode it never has to: it has what that takes, and ends sooner.
        """
        now = time.monotonic()
        if now - self._looked_s < _LOOK_S:
            return False
        self._looked_s = now
        self._look()
        if self._encodes:
            return False
        was_short, self._short = self._short, self._room.is_short(self._place)
        if self._short and not was_short:
            self._own.give_back(0)
            self._look()
        return self._short

    def reserve(self) -> None:
        """Give back what decoding no longer needs, and reserve what encoding takes."""
        self._own.give_back()
        self._before = self._since = self._own.held()
        self._reserved = self._before + self._to_encode
        self._looked_s = 0.0

    def encode(self) -> None:
        """Use what was reserved."""
        self._encodes = True

    def done(self) -> None:
        """Let go of a file, and of what was reserved for it."""
        self._look()
        self._room.took(self._place, self._most)
        if self._reserved:
            self._to_encode = self._since - self._before
        self._most = self._reserved = 0
        self._encodes = False
        self._own.give_back()
        self._look()

    def _look(self) -> None:
        held = self._own.held()
        self._most = max(self._most, held)
        self._since = max(self._since, held)
        self._room.hold(self._place, max(held, self._reserved))


class _Reading:
    """Reads files, one after the other."""

    def __init__(
        self,
        parent: Connection,
        pulse: Numbers,
        until: Numbers,
        terms: Terms,
        encoder: AudioEncoder | None,
        memory: _Memory,
    ) -> None:
        self._parent = parent
        self._pulse = pulse
        self._until = until
        self._terms = terms
        self._encoder = encoder
        self._memory = memory

    def alive(self) -> bool:
        """Give a sign of life, pausing where asked; never cancels."""
        self._pulse[0] = time.monotonic()
        while time.monotonic() > self._until[0] or self._memory.is_short():
            time.sleep(_PAUSED_S)
            self._pulse[0] = time.monotonic()
        return False

    def outcome(self, task: Task) -> Outcome:
        """Read a file, whatever happens."""
        try:
            if task.address is None:
                return Outcome(self._read(task))
            self._begin(SOUND)
            with copied(task.address, self.alive) as path:
                return Outcome(self._read(task._replace(path=path)))
        except Exception as error:
            return Outcome(error=self._refusal(error))

    def _read(self, task: Task) -> Found:
        read = self._tags(task) if task.tags else Found(Tags())
        if not task.decode:
            return read
        self._begin(SOUND)
        guard.reuse_pages(False)
        rate_hz, most = self._terms.sample_rate_hz, self._terms.most
        if task.address and self._encoder is None:
            most = LIMIT  # the parent could not read the copy again
        found = tasks.read(task._replace(tags=False), rate_hz, self.alive, most)
        if found.sound is None or found.samples is None:
            raise DecodeError("it holds no sound")
        self._parent.send(found.sound.content)
        if not self._parent.recv():
            return read._replace(sound=found.sound)
        if self._encoder is None:
            return found._replace(tags=read.tags)
        self._memory.reserve()
        self._begin(LATENTS)
        self._memory.encode()
        guard.reuse_pages(True)
        latents = self._encoder.encode(found.samples, self.alive)
        return read._replace(sound=found.sound, latents=latents)

    def _tags(self, task: Task) -> Found:
        self._begin(TAGS)
        try:
            return tasks.read(task._replace(decode=False), 0)
        except FileUnavailable as error:
            if task.decode and isinstance(error.__cause__, MemoryError):
                return Found(Tags())  # a file without tags that can be read is still music
            raise

    def _refusal(self, error: Exception) -> Exception:
        short = isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)
        if short or "allocate memory" in str(error):
            return too_large()
        if self._pulse[1] == LATENTS or isinstance(error, GdrError):
            return _sendable(error)
        return DecodeError(f"it cannot be decoded: {type(error).__name__}")

    def _begin(self, what: float) -> None:
        self._pulse[1] = what
        self.alive()


def too_large() -> DecodeError:
    """The refusal of a file that takes more memory than it may."""
    return DecodeError(f"reading it takes more than {guard.ALLOWED_MB} MB of memory")


def _sendable(error: Exception) -> Exception:
    """An error that can be sent: our own as they are, others as what they say."""
    if isinstance(error, GdrError):
        return error.with_traceback(None)
    return RuntimeError(f"{type(error).__name__}: {error}")
