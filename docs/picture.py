"""Draws docs/app.svg, the picture in the README, from the real app: `python docs/picture.py`."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]


async def story(library: Path, target: Path) -> None:
    """Index, ask, push away, edit; then export what the screen shows."""
    from gdr_tui.app import GdrApp
    from gdr_tui.session import Session
    from gdr_tui.settings import Settings

    app = GdrApp(Session([library]), Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        trail = app.main.asking.trail

        async def until(true: Callable[[], object]) -> None:
            for _ in range(600):
                if true():
                    return
                await pilot.pause(0.1)
            raise TimeoutError("the app did not get there in a minute")

        async def asked(*keys: str) -> None:
            before = trail.current
            await pilot.press(*keys)
            await until(lambda: trail.current is not before)
            await pilot.pause(0.5)

        await until(lambda: app.main.status.state.indexed)
        await asked(*"slow strings, sad", "enter")
        await asked("n", *"choir", "enter")
        await asked("r")
        await pilot.press("l")
        await until(lambda: len(list(trail.rows())) > 3)
        await pilot.pause(1)
        app.save_screenshot(str(target))


def main() -> None:
    """Draw it in a store of its own."""
    with tempfile.TemporaryDirectory() as home:
        library = Path(home) / "Music"
        shutil.copytree(ROOT / "demo", library)
        os.environ |= {"HOME": home, "GDR_HOME": f"{home}/gdr", "GDR_AUDIO": "null"}
        asyncio.run(story(library, ROOT / "docs" / "app.svg"))


if __name__ == "__main__":
    main()
