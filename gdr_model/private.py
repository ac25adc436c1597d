"""Folders of gdr's own that their owner alone can read: they say what somebody listens to."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from gdr_model.paths import home


def make_private(folder: Path) -> None:
    """Create a folder, and those around it up to gdr's own, for their owner alone.

    A folder that everyone can read is narrowed, as those of earlier versions were; one that is
    open to a group alone was opened on purpose. What cannot be changed stays as it is.

    Raises:
        OSError: if one of them cannot be created.
    """
    top = home()
    around = [each for each in folder.parents if each == top or each.is_relative_to(top)]
    for each in [*reversed(around), folder]:
        try:
            each.mkdir(0o700, parents=True)
        except FileExistsError:
            if not each.is_dir():
                raise
            _narrow(each)


def _narrow(folder: Path) -> None:
    if os.name == "nt":
        return
    mode = folder.stat().st_mode
    if mode & stat.S_IRWXO and not mode & stat.S_ISVTX:  # a sticky one is shared, like /tmp
        with suppress(OSError):
            folder.chmod(stat.S_IMODE(mode) & ~(stat.S_IRWXG | stat.S_IRWXO))
