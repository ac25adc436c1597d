"""What is written to the terminal, and what must not be."""

from __future__ import annotations

import os
import select
from collections.abc import Callable

STDERR = 2


class Output:
    """A terminal to write to, as Textual's writer wants it; once it is gone, text is dropped."""

    def __init__(self, handle: int, encoding: str, lost: Callable[[], object]) -> None:
        """Write through a duplicate of a file descriptor.

        PortAudio is opened with standard error redirected, so a frame that went there could be
        lost.

        Args:
            handle: of the terminal.
            encoding: of the terminal.
            lost: called once, on any thread, when the terminal turns out to be gone.
        """
        self._handle = os.dup(handle)
        self._encoding = encoding
        self._lost = lost
        self._gone = False
        self._text: list[str] = []

    def fileno(self) -> int:
        """The file descriptor."""
        return self._handle

    def write(self, text: str) -> None:
        """Keep text for the next `flush`."""
        self._text.append(text)

    def flush(self) -> None:
        """Write what was kept."""
        left = memoryview("".join(self._text).encode(self._encoding, "replace"))
        self._text.clear()
        while left and not self._gone:
            try:
                left = left[os.write(self._handle, left) :]
            except BlockingIOError:  # another program has made the terminal non-blocking
                select.select([], [self._handle], [])
            except OSError:
                self._gone = True
                self._lost()


class Silence:
    """Standard error while the app has the screen.

    Decoders and sound drivers print there, and what they print would be written over the app.
    """

    def __init__(self) -> None:
        self._stderr: int | None = None

    def begin(self) -> None:
        """Drop what is printed, if it would appear in a terminal."""
        if self._stderr is None and os.isatty(STDERR):
            self._stderr = os.dup(STDERR)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, STDERR)
            os.close(null)

    def end(self) -> None:
        """Print it again."""
        stderr, self._stderr = self._stderr, None
        if stderr is not None:
            os.dup2(stderr, STDERR)
            os.close(stderr)
