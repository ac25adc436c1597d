"""Keys that come all at once: each is at its end before the next one is handed on.

Textual hands a key to what has the focus when it arrives; what the key does comes later, in
messages. Of `/warm`, sent by a slow line in one piece or typed while the program was busy, it
would hand five keys to the results, where `w` and `a` are commands. Here the next key waits for a
message that travelled behind the one before, twice: behind the key itself, and behind what the
key has set off (a box was submitted, a screen was opened).
"""

from __future__ import annotations

from collections import deque
from functools import partial

from textual import events, on
from textual.app import App
from textual.message import Message
from textual.timer import Timer

STUCK_S = 0.5
"""A message is lost where its widget has gone; the next key waits no longer than this."""


class Behind(Message):
    """Follows a key from the widget that got it up to the app."""

    def __init__(self, number: int, rounds: int) -> None:
        super().__init__()
        self.number = number
        self.rounds = rounds


class OneKeyAtATime(App[None]):
    """An app in which keys do not overtake what earlier keys do."""

    _waiting: deque[events.Key | events.Paste]
    _number = 0
    """Counts the keys handed on."""

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self._waiting = deque()
        self._patience: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Let a key wait for those before it; all else goes its way."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._waiting.append(event)
        if len(self._waiting) == 1:
            await self._hand_on()

    async def _hand_on(self) -> None:
        target = self.focused or self.screen
        await super().on_event(self._waiting[0])
        target.post_message(Behind(self._number, 1))
        self._patience = self.set_timer(STUCK_S, partial(self._next, self._number))

    @on(Behind)
    def _came_behind(self, behind: Behind) -> None:
        if behind.rounds == 1:
            (self.focused or self.screen).post_message(Behind(behind.number, 2))
        else:  # what only asked for the focus gets it first
            self.call_later(self._next, behind.number)

    async def _next(self, number: int) -> None:
        if number != self._number or not self._waiting:
            return
        if self._patience:
            self._patience.stop()
        self._number += 1
        self._waiting.popleft()
        if self._waiting:
            await self._hand_on()
