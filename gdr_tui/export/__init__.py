"""Exported lists of tracks: M3U8, CSV, JSON, rekordbox XML, or a folder of symbolic links.

Paths are written as the bytes they have on disk, so a playlist also reaches a file whose name is
not valid UTF-8. What the command line prints is not here but in `gdr_tui.cli.output`.
"""

from gdr_tui.export.entries import Style, TrackList, of_crate, of_results
from gdr_tui.export.files import (
    FORMATS,
    AlreadyThere,
    already_there,
    suggested_name,
    suggested_target,
    why_not,
    write_list,
    wrong_ending,
)

__all__ = [
    "FORMATS",
    "AlreadyThere",
    "Style",
    "TrackList",
    "already_there",
    "of_crate",
    "of_results",
    "suggested_name",
    "suggested_target",
    "why_not",
    "write_list",
    "wrong_ending",
]
