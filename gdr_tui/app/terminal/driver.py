"""Textual's driver, for terminals that are lent to a shell, taken back, or closed."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO, cast

from textual.drivers.linux_driver import LinuxDriver

from gdr_tui.app.terminal.output import Output, Silence
from gdr_tui.app.terminal.reader import Reader
from gdr_tui.ending import on_ending

if TYPE_CHECKING:
    from textual.app import App

TOGETHER_S = 0.02
"""Signals of a job that is continued arrive within this time, in any order."""
WAIT_S = 0.1
"""After Esc, nothing for this long means that Esc was all."""


class TerminalDriver(LinuxDriver):
    """Stops for the shell as a whole job, comes back with a new screen, and outlives its terminal.

    Textual's own signal handlers write to the terminal wherever the program happens to be, even in
    the middle of writing; these only tell the event loop.
    """

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        out = cast(TextIO, sys.__stdout__)  # a terminal, or there would be no app
        self._file = cast(Any, Output(out.fileno(), out.encoding, self._lose))
        self._silence = Silence()
        self._away = False
        """The shell has the terminal."""
        self._returning: asyncio.TimerHandle | None = None
        signal.signal(signal.SIGTSTP, lambda *_: self._soon(self.give_back))
        signal.signal(signal.SIGCONT, lambda *_: self._soon(self._return_soon))
        on_ending(self._end)

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's own size: COLUMNS and LINES can be another one's, or out of date."""
        with suppress(OSError):
            width, height = os.get_terminal_size(cast(TextIO, sys.__stdout__).fileno())
            if width and height:
                return width, height
        return super()._get_terminal_size()

    def _soon(self, act: Callable[[], object]) -> None:
        """Call on the event loop, from a signal handler or a thread."""
        with suppress(RuntimeError):  # the loop has ended, and the app is saving its last changes
            self._loop.call_soon_threadsafe(act)

    def _end(self, code: int) -> None:
        """Quit with this exit code."""
        self._soon(partial(self._app.exit, return_code=code))

    # To the shell and back

    def give_back(self) -> None:
        """Stop the whole job, as ctrl+z does, with the terminal as it was found."""
        if self._away:
            return
        self._app.app_suspend_signal.publish(self._app)
        self.suspend_application_mode()
        self._away = True
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        # Without a shell to continue it, the system does not stop a job, and this returns at once.
        os.kill(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, ours)
        self._return_soon()

    def _return_soon(self) -> None:
        """Take the terminal back, unless another signal ends the app."""
        if self._returning is None:
            self._returning = self._loop.call_later(TOGETHER_S, self._take_back)

    def _take_back(self) -> None:
        self._returning = None
        if self._app.return_code is not None:
            return
        try:
            foreground = os.tcgetpgrp(self.fileno) == os.getpgrp()
        except OSError:
            return  # the terminal is gone, which reading it will show
        if not foreground:
            os.kill(0, signal.SIGTTOU)  # what the system does to a job that needs the terminal
            return
        if not self._away:  # stopped from outside; the shell may have changed everything
            self.suspend_application_mode()
        self._away = False
        self.resume_application_mode()
        self.send_message(self.SignalResume())

    # Textual's driver, with a terminal that can be away or gone

    def start_application_mode(self) -> None:
        """Take the terminal."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._silence.begin()

    def stop_application_mode(self) -> None:
        """Leave the terminal as it was found; nothing is done to one that the shell has."""
        if not self._away:
            if self._mouse_pixels:
                self.write("\x1b[?1016l")  # which Textual turns on and leaves on
            super().stop_application_mode()
        self._silence.end()

    def disable_input(self) -> None:
        """Read nothing from now on."""
        if not self._away:
            super().disable_input()

    def write(self, data: str) -> None:
        """Write, unless the shell has the terminal."""
        if not self._away:
            super().write(data)

    def run_input_thread(self) -> None:
        """Read what the terminal sends, until input is disabled or the terminal is gone."""
        reader = Reader(debug=self._debug)
        while not self.exit_event.is_set():
            if not select.select([self.fileno], [], [], WAIT_S)[0]:
                came = reader.wait()
            elif raw := self._read():
                came = reader.read(raw)
            else:
                self._lose()
                return
            for event in came:
                self.process_message(event)

    def _read(self) -> bytes:
        """What came; nothing from a terminal that is gone."""
        try:
            return os.read(self.fileno, 4096)
        except OSError:
            return b""

    def _lose(self) -> None:
        """End the app: its terminal is gone."""
        self._end(128 + signal.SIGHUP)
