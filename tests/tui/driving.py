"""How the stories drive the app."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from gdr_tui.app.app import GdrApp
from gdr_tui.app.main.screen import MainScreen
from gdr_tui.app.main.session import Session
from gdr_tui.app.search.results import ResultsList
from gdr_tui.app.settings import Settings

NARROW, WIDE = (80, 24), (120, 40)


def opened(session: Session, chosen: Settings | None = None, problem: str = "") -> GdrApp:
    app = GdrApp(session, chosen or Settings(), problem)
    app.NOTIFICATION_TIMEOUT = 3600  # type: ignore[misc]  # however slow the machine
    return app


async def until(pilot: Pilot[Any], true: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"it did not happen in {seconds} s"
        await asyncio.sleep(0.01)
        await pilot.pause()


async def asked(pilot: Pilot[Any], prompt: str) -> None:
    """Put in a prompt, press Enter, wait for the answer."""
    screen = main(pilot)
    before = screen.search.state.trail.current
    box = screen.query_one("#prompt", Input)
    box.focus()
    box.value = prompt
    await pilot.press("enter")
    await until(pilot, lambda: screen.search.state.trail.current is not before)


def burst(pilot: Pilot[Any], keys: str) -> None:
    """Keys that are all there before the first is dealt with."""
    for key in keys:
        name = "enter" if key == "\r" else _character_to_key(key)
        pilot.app.post_message(events.Key(name, key))


def main(pilot: Pilot[Any]) -> MainScreen:
    assert isinstance(pilot.app, GdrApp)
    return pilot.app.main


def labels(pilot: Pilot[Any]) -> list[str]:
    return [lines + node.label for node, lines in main(pilot).search.state.trail.rows()]


def names(pilot: Pilot[Any]) -> list[str]:
    """The tracks listed."""
    results = pilot.app.query_one(ResultsList)
    return [track.name for track in results._tracks]


def said(pilot: Pilot[Any]) -> list[str]:
    """What notifications say."""
    return [notification.message for notification in pilot.app._notifications]


def picture(pilot: Pilot[Any]) -> str:
    """The screen as text."""
    compositor = pilot.app.screen._compositor
    return "\n".join(
        "".join(segment.text for segment in line) for line in compositor.render_strips()
    )
