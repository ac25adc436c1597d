"""Ask a disk for as long as it answers at all, in a thread that is left behind if it hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from gdr_model.errors import Cancelled
from gdr_model.types import Cancel, never

LIMIT_S = 40.0
"""How long a disk may take for one answer."""
_LOOK_S = 0.1

T = TypeVar("T")


def answers(ask: Callable[[], Iterable[T]], cancelled: Cancel = never) -> list[T]:
    """What an iterable yields, as far as it gets; it ends early where nothing comes in time.

    Args:
        ask: gives the iterable, in another thread.
        cancelled: polled meanwhile.

    Raises:
        Cancelled: when asked.
    """
    found: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            for answer in ask():
                found.append(answer)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="gdr-looking", daemon=True)
    thread.start()
    waited_s, before = 0.0, 0
    while waited_s < LIMIT_S:
        thread.join(_LOOK_S)
        for error in errors:
            raise error
        if not thread.is_alive():
            break
        if cancelled():
            raise Cancelled("stopped")
        count = len(found)
        waited_s, before = (waited_s + _LOOK_S if count == before else 0.0), count
    return found.copy()  # whatever the thread finds later
