"""Show a file in its folder, by the platform's file manager or a command of the user."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from gdr_model.errors import GdrError
from gdr_tui.app.playback.placeholders import filled_in
from gdr_tui.safe_text import literal


class RevealError(GdrError):
    """The file cannot be shown."""


def command(path: Path, opener: tuple[str, ...], platform: str = sys.platform) -> list[str]:
    """The command that shows a file: the user's, with its placeholders filled in, or ours."""
    if opener:
        return filled_in(opener, {"path": str(path), "folder": str(path.parent)})
    if platform == "darwin":
        return ["open", "-R", str(path)]
    if platform == "win32":
        return ["explorer", f"/select,{path}"]
    return ["xdg-open", str(path.parent)]


def reveal(path: Path, opener: tuple[str, ...] = ()) -> None:
    """Open the folder of a file without waiting.

    Raises:
        RevealError: if the file is gone, or there is no such program.
    """
    if not path.exists():
        raise RevealError(f"{literal(str(path))} no longer exists")
    call = command(path, opener)
    try:
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(
            call, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except OSError as error:
        raise RevealError(
            f"cannot start {literal(call[0])} ({error.strerror}); set opener in settings.toml, or "
            "copy the path"
        ) from error
    threading.Thread(target=process.wait, daemon=True).start()
