"""The file that the decoding libraries read through.

The libraries hide what the system says (`SoundFileError: System error`), and they cannot be
interrupted in a call that reads on and on. So they read from this object, which remembers why it
could not read and then behaves like the end of the file: an exception would be printed by
libsndfile's callbacks. `check` raises what was remembered.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from gdr_model.errors import Cancelled, DecodeError, FileUnavailable, GdrError
from gdr_model.remote.files import at_hand
from gdr_model.types import Cancel, never

_BUFFER = 1 << 16
_FIRST_S = 30.0
"""Seconds that a decoder has for the headers, however much time it has later."""
_MOST_WITHOUT_SOUND = 1 << 27
"""Bytes. More than this between two blocks of sound is not a sound file."""


class Source:
    """A regular file, or a part of it, open for reading."""

    def __init__(self, path: Path, limit_s: float = 120.0, cancelled: Cancel = never) -> None:
        """Open a file.

        Args:
            path: the file.
            limit_s: seconds without progress after which reading stops. Time that the system
                takes to read does not count as a decoder's, only a single read that takes longer.
            cancelled: polled at every read.

        Raises:
            FileUnavailable: if the system does not open it.
            DecodeError: if it is no regular file.
        """
        at_hand(path)
        # A pipe would block until someone writes to it.
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            descriptor = os.open(path, flags)
        except OSError as error:
            raise unavailable(error) from error
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            os.close(descriptor)
            raise DecodeError("it is not a regular file")
        self._file = open(descriptor, "rb", buffering=_BUFFER)  # noqa: SIM115 closed by close()
        self.name = os.fspath(path)
        """FFmpeg takes the suffix into account where the bytes leave doubt."""
        self.size = facts.st_size
        """Bytes, of the whole file."""
        on_disk = 512 * getattr(facts, "st_blocks", 0)
        self.stored = min(self.size, on_disk) if on_disk else self.size
        """Bytes of it that are on the disk: a file with holes says it is larger."""
        self._start = 0
        self._end = self.size
        self._masks: list[tuple[int, bytes]] = []
        self._limit_s = limit_s
        self._cancelled = cancelled
        self._failure: GdrError | None = None
        self._patience_s = min(limit_s, _FIRST_S)
        self._deadline = time.monotonic() + self._patience_s
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def progress(self) -> None:
        """Begin to count time and bytes without progress from here."""
        self._patience_s = self._limit_s
        self._deadline = time.monotonic() + self._limit_s
        self._bytes = 0

    def check(self) -> None:
        """Raise what was in the way of reading, if anything.

        Raises:
            FileUnavailable: if the system could not read.
            DecodeError: if there was no progress for too long.
            Cancelled: when asked.
        """
        if self._failure is None:
            asked_s = time.monotonic()
            cancelled = self._cancelled()
            self._deadline += time.monotonic() - asked_s  # whoever was asked can let it wait
            if cancelled:
                self._failure = Cancelled("stopped")
            elif time.monotonic() > self._deadline:
                self._failure = DecodeError(f"no sound came out of it for {self._patience_s:g} s")
            elif self._bytes > _MOST_WITHOUT_SOUND:
                self._failure = DecodeError("it is not a readable sound file")
        if self._failure is not None:
            raise self._failure

    def begin_at(self, start: int, end: int | None = None) -> None:
        """Read from one position of the file to another as if that were all, unmasked."""
        self._start, self._end = start, self.size if end is None else end
        self._masks = []
        self.seek(0)

    def mask(self, at: int, data: bytes) -> None:
        """Read other bytes at a position of the file than it has, and as many."""
        self._masks.append((at, data))

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes; b"" at the end, or if it cannot be read."""
        try:
            self.check()
            begun = time.monotonic()
            data = self._file.read(self._within(size))
            self._took(time.monotonic() - begun, len(data))
            data = self._masked(data) if self._masks else data
        except OSError as error:
            self._failure = unavailable(error)
        except GdrError:
            pass  # `check` has kept it
        else:
            return data
        return b""

    def at(self, position: int, size: int) -> bytes:
        """Read at most `size` bytes at a position of the part that is read."""
        self.seek(position)
        return self.read(max(size, 0))

    def readinto(self, buffer: memoryview) -> int:
        """Read into a buffer; 0 at the end, or if it cannot be read."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position of the part that is read; -1 if there is no such position."""
        try:
            if whence == os.SEEK_CUR:
                return self._file.seek(offset, whence) - self._start
            origin = self._start if whence == os.SEEK_SET else self._end
            return self._file.seek(origin + offset) - self._start
        except (OSError, ValueError):
            return -1

    def tell(self) -> int:
        """The position in the part that is read."""
        return self._file.tell() - self._start

    def _within(self, size: int) -> int:
        """At most as many bytes as there are up to the end of the part."""
        if self._end == self.size:
            return size
        left = max(0, self._end - self._file.tell())
        return left if size < 0 else min(size, left)

    def _masked(self, data: bytes) -> bytes:
        """What was read, with the other bytes instead."""
        changed, begin = bytearray(data), self._file.tell() - len(data)
        for at, other in self._masks:
            first, last = max(at, begin), min(at + len(other), begin + len(data))
            if first < last:
                changed[first - begin : last - begin] = other[first - at : last - at]
        return bytes(changed)

    def _took(self, seconds: float, size: int) -> None:
        self._bytes += size
        self._deadline += seconds
        if seconds > self._limit_s:
            self._failure = FileUnavailable(
                f"the system needed {seconds:.0f} s to read {size:,} bytes of it"
            )


def unavailable(error: OSError) -> FileUnavailable:
    """The reason of the system in words a user can act on."""
    if isinstance(error, PermissionError):
        return FileUnavailable("permission to read it is denied")
    if isinstance(error, FileNotFoundError):
        return FileUnavailable("it no longer exists")
    why = error.strerror or type(error).__name__
    return FileUnavailable(f"the system could not read it: {why.lower()}")
