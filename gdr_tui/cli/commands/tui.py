"""`gdr tui`: open the app."""

from __future__ import annotations

import sys

from gdr_model.errors import UsageError
from gdr_tui.cli.diagnostics import say
from gdr_tui.cli.options import RetrieverOptions
from gdr_tui.cli.retrievers import index_opener, library_folders, music_folder


def tui(opened: RetrieverOptions) -> None:
    """Open the app: type, listen, steer. Folders that are not indexed yet are indexed meanwhile."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("gdr tui needs a terminal; use gdr search here")
    from gdr_tui.app.app import run

    if opened.index is not None:
        index_opener(opened.index)  # refused before the app opens
    folders = [music_folder(folder) for folder in library_folders(opened.library)]
    run(folders, opened.model, opened.device, say, opened.index)
