"""A short sitting with the real app, drawn as it goes: `python docs/session.py`.

Everything is real: the demo library, the model that ships, keys as a user presses them. Leaves
docs/app.svg and docs/session/*.svg, the pictures of the README.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from gdr_tui.app.app import GdrApp

DOCS = Path(__file__).parent
SIZE = (120, 36)


class Sitting:
    """A user at the keys."""

    def __init__(self, app: GdrApp, pilot: Pilot[None]) -> None:
        self._app, self._pilot = app, pilot

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something has happened."""
        for _ in range(600):
            if true():
                return
            await self._pilot.pause(0.1)
        raise TimeoutError("the app did not get there in a minute")

    async def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        await self._pilot.press(*keys)

    async def asked(self, *keys: str) -> None:
        """Press keys and wait for the answer."""
        trail = self._app.main.asking.trail
        before = trail.current
        await self.press(*keys)
        await self.until(lambda: trail.current is not before)

    async def drawn(self, name: str) -> None:
        """Draw the screen once it has come to rest."""
        await self._pilot.pause(1.5)
        target = DOCS / f"{name}.svg"
        target.parent.mkdir(exist_ok=True)
        self._app.save_screenshot(str(target))


async def story(library: Path) -> None:
    """Search, push away, like, compare, edit, ask why, see the map, gather a crate."""
    from gdr_tui.app.app import GdrApp
    from gdr_tui.app.main.session import Session
    from gdr_tui.app.settings import Settings

    app = GdrApp(Session([library]), Settings())
    async with app.run_test(size=SIZE) as pilot:
        user = Sitting(app, pilot)
        await user.until(lambda: app.main.status.state.indexed)
        await user.asked(*"slow strings, sad", "enter")
        await user.asked("n", *"choir", "enter")
        await user.press("c")
        await user.drawn("session/compare")
        await user.press("escape")
        await user.asked("r")
        await user.press("l")
        await user.drawn("app")
        await user.press("w")
        await user.drawn("session/why")
        await user.press("escape", "i", "ctrl+u", *"fast electronic dance")
        await user.drawn("session/edit")
        await user.press("escape", "v")
        await user.drawn("session/map")
        await user.press("escape", *"mmm", "M")
        await user.drawn("session/crates")
        await user.press("escape", "L")
        await user.drawn("session/library")


def main() -> None:
    """Sit down with a store of its own."""
    with tempfile.TemporaryDirectory() as home:
        library = Path(home) / "Music"
        shutil.copytree(DOCS.parent / "demo", library)
        os.environ |= {"HOME": home, "GDR_HOME": f"{home}/gdr", "GDR_AUDIO": "null"}
        asyncio.run(story(library))


if __name__ == "__main__":
    main()
