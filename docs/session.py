"""Take the screenshots of README and exploring.md from the real app: `python docs/session.py`.

Everything is real: the demo library, the model that ships, the keys a user would press. Writes
docs/app.svg and docs/session/*.svg.
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
SMALL = (80, 24)
"""Shows eight results at a time, so that a track has to be found even among forty."""

AT_MOST_S = 120
"""How long to wait for the app."""


class User:
    """Presses keys and takes screenshots."""

    def __init__(self, app: GdrApp, pilot: Pilot[None]) -> None:
        self._app, self._pilot = app, pilot

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something has happened."""
        for _ in range(10 * AT_MOST_S):
            if true():
                return
            await self._pilot.pause(0.1)
        raise TimeoutError("the app did not get there within two minutes")

    async def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        await self._pilot.press(*keys)

    async def asked(self, *keys: str) -> None:
        """Press keys and wait for the answer."""
        trail = self._app.main.search.state.trail
        before = trail.current
        await self.press(*keys)
        await self.until(lambda: trail.current is not before)

    async def go_to(self, name: str) -> None:
        """Move the cursor down to the result of a file."""
        results = self._app.main.search.results
        while results.track and results.track.path.stem != name:
            await self.press("j")

    def sees(self, name: str) -> bool:
        """Whether a result has a line in sight."""
        return name in [path.stem for path in self._app.main.search.results.in_sight]

    async def types(self, *keys: str) -> None:
        """Type a line, and wait for the list of what it would find."""
        typed = self._app.main.search.typed.list
        await self.press("slash", *keys)
        await self.until(lambda: typed.display)

    async def screenshot(self, name: str) -> None:
        """Save the screen once it has settled."""
        await self._pilot.pause(1.5)
        target = DOCS / f"{name}.svg"
        target.parent.mkdir(exist_ok=True)
        self._app.save_screenshot(str(target))


async def story(library: Path) -> None:
    """Search, add a negative, compare, like, explain, edit, open the map, crates and library."""
    from gdr_tui.app.app import GdrApp
    from gdr_tui.app.main.session import Session
    from gdr_tui.app.settings import Settings

    app = GdrApp(Session([library]), Settings())
    async with app.run_test(size=SIZE) as pilot:
        user = User(app, pilot)
        await user.until(lambda: app.main.library.state.indexed)
        await user.asked(*"slow strings, sad", "enter")
        await user.asked("n", *"choir", "enter")
        await user.press("c")
        await user.screenshot("session/compare")
        await user.press("escape")
        await user.asked("r")
        await user.press("l")
        await user.screenshot("app")
        await user.press("w")
        await user.screenshot("session/why")
        await user.press("escape", "i", "ctrl+u", *"fast electronic dance")
        await user.screenshot("session/edit")
        await user.press("escape", "v")
        await user.screenshot("session/map")
        await user.press("escape", *"mmm", "M")
        await user.screenshot("session/crates")
        await user.press("escape", "L")
        await user.screenshot("session/library")


async def finding(library: Path) -> None:
    """Look for a track known by ear, a choir singing slowly, by words and the nearest results."""
    from gdr_tui.app.app import GdrApp
    from gdr_tui.app.main.session import Session
    from gdr_tui.app.settings import Settings

    app = GdrApp(Session([library]), Settings())
    async with app.run_test(size=SMALL) as pilot:
        user = User(app, pilot)
        await user.until(lambda: app.main.library.state.indexed)
        await user.asked("slash", *"slow", "enter")
        await user.go_to("great west door")
        await user.press("h")
        await user.screenshot("session/nearest")
        await user.asked("enter")
        await user.types(*"slow, singing")
        await user.screenshot("session/typing")
        await user.asked("enter")
        await user.until(lambda: user.sees("evensong"))
        await user.go_to("evensong")
        await user.press("w")
        await user.screenshot("session/found")


def main() -> None:
    """Run both sessions, each with a store of its own."""
    for session in (story, finding):
        with tempfile.TemporaryDirectory() as home:
            library = Path(home) / "Music"
            shutil.copytree(DOCS.parent / "demo", library)
            os.environ |= {"HOME": home, "GDR_HOME": f"{home}/gdr", "GDR_AUDIO": "null"}
            asyncio.run(session(library))


if __name__ == "__main__":
    main()
