"""The real program in a real terminal: a pseudo-terminal with the app at its other end."""

from __future__ import annotations

import codecs
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pyte

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P_^][^\x07\x1b]*(?:\x07|\x1b\\)|[()][AB0]|.)")
BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]P_^][^\x07\x1b]*\x1b?|[()])?\Z")
"""An escape whose end is still to come: a pseudo-terminal hands over 4 KiB at a time."""
PROGRAM = [sys.executable, "-c", "from gdr_tui.cli.main import main; main()"]


class Terminal:
    """A child at the other end; what it writes, without escapes, is `text`."""

    def __init__(self, pid: int, handle: int) -> None:
        self.pid = pid
        self._handle = handle
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""
        self.text = ""
        self.raw = b""
        """All that was written, escapes and all."""
        self.size = (80, 24)
        self._status: int | None = None

    def read(self, wait_s: float) -> str:
        """What came within `wait_s`, as soon as anything did."""
        if not select.select([self._handle], [], [], wait_s)[0]:
            return ""
        try:
            raw = os.read(self._handle, 1 << 16)
        except OSError as error:
            if error.errno != errno.EIO:  # Linux's word for: the other end is closed
                raise
            return ""
        self.raw += raw
        came = self._begun + self._decoder.decode(raw)
        cut = BEGUN.search(came)
        self._begun = cut.group() if cut else ""
        came = ESCAPES.sub("", came[: cut.start()] if cut else came)
        self.text += came
        return came

    def until(self, shown: str, seconds: float = 60.0) -> float:
        """Wait until this text was written since the last `forget`; returns how long it took."""
        began = time.monotonic()
        while shown not in self.text:
            waited = time.monotonic() - began
            assert waited < seconds, self._failed(f"waited {seconds:g} s in vain for {shown!r}")
            if not self.read(0.2) and self.ended:
                raise AssertionError(self._failed(f"the program ended before it wrote {shown!r}"))
        return time.monotonic() - began

    def _failed(self, sentence: str) -> str:
        """A sentence about what did not happen, and the screen under it."""
        return "\n".join([f"{sentence}; the screen:", *self.screen()])

    def forget(self) -> None:
        """Read on from here."""
        while self.read(0.05):
            pass
        self.text = ""

    def press(self, keys: str) -> None:
        """Send keys as a terminal would."""
        os.write(self._handle, keys.encode())

    def escape(self) -> None:
        """Press Esc, and be quiet until it can no longer be the beginning of another key."""
        self.press("\x1b")
        quiet = time.monotonic() + 0.5
        while (left := quiet - time.monotonic()) > 0:
            self.read(left)

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size, of which the program hears by a signal."""
        self.size = columns, lines
        fcntl.ioctl(self._handle, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def rows(self) -> list[str]:
        """The rows of the screen, after a moment of quiet."""
        while self.read(0.5):
            pass
        return self.screen()

    def screen(self) -> list[str]:
        """The rows of the screen as a terminal shows what came so far."""
        screen = pyte.Screen(*self.size)
        stream = pyte.ByteStream(screen)
        # pyte knows no alternate screen, no keyboard protocol of kitty's and no requests of modes.
        for piece in re.split(rb"(\x1b\[\?1049[hl])|\x1b\[[<>]\d*u|\x1b\[\?\d+\$p", self.raw):
            stream.feed(b"\x1b[2J\x1b[H" if piece and b"?1049" in piece else piece or b"")
        return [row.rstrip() for row in screen.display]

    def modes(self) -> dict[str, bool]:
        """Modes that are not as a terminal has them before any program, by number."""
        usual = {"7": True, "25": True}  # wrapping, cursor
        now: dict[str, bool] = {}
        for numbers, turned in re.findall(rb"\x1b\[\?([\d;]+)([hl])", self.raw):
            now |= dict.fromkeys(numbers.decode().split(";"), turned == b"h")
        changed = {mode: on for mode, on in now.items() if on != usual.get(mode, False)}
        pushed = len(re.findall(rb"\x1b\[>\d+u", self.raw)) - self.raw.count(b"\x1b[<u")
        return changed | ({"kitty": True} if pushed else {})

    def line_modes(self) -> list[object]:
        """How the terminal handles lines, echo and signals; it can be asked after the end."""
        return termios.tcgetattr(self._handle)[:4]

    def hang_up(self) -> None:
        """Close the terminal, as when its window is closed."""
        os.close(self._handle)
        self._handle = -1

    @property
    def ended(self) -> bool:
        """Whether the child has ended."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def wait(self, seconds: float) -> tuple[float, int]:
        """Read until the child has ended: after how long, and with which exit code."""
        began = time.monotonic()
        while not self.ended:
            in_time = time.monotonic() - began < seconds
            assert in_time, self._failed(f"the program did not end within {seconds:g} s")
            if self._handle >= 0:
                self.read(0.005)
            else:
                time.sleep(0.005)
        assert self._status is not None
        return time.monotonic() - began, os.waitstatus_to_exitcode(self._status)

    def close(self) -> None:
        """End the child if it still runs."""
        if not self.ended:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self._handle >= 0:
            os.close(self._handle)


@contextmanager
def run(
    command: Sequence[str],
    size: tuple[int, int] = (80, 24),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Terminal]:
    """Run a command in a new terminal."""
    variables = {**os.environ, "TERM": "xterm-256color", "GDR_AUDIO": "null"}
    variables |= {"OMP_NUM_THREADS": "1", **(environment or {})}
    variables["PYTHONPATH"] = str(Path(__file__).parents[2])
    pid, handle = pty.fork()
    if not pid:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` has it ignored
        os.execvpe(command[0], list(command), variables)  # noqa: S606
    terminal = Terminal(pid, handle)
    terminal.resize(*size)
    try:
        yield terminal
    finally:
        terminal.close()
