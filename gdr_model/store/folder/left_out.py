"""What in a music folder is left out, and why.

Bins, snapshots and folders of programs are known by name. Any other name with leading dots can be
an album ("...And Justice for All") or a song, and is taken if it is music. Globs exclude whatever
the user doesn't want; nothing needs to be written into the folder.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from gdr_model.audio import SUFFIXES
from gdr_model.errors import LibraryError, UsageError
from gdr_model.store.records import Reason, shown
from gdr_model.store.text_match import folded

MARKER = ".notmusic"
"""A folder with a file of this name is left out, with everything below it."""

_SYSTEM = {
    name
    for line in (
        # Bins
        "$recycle.bin recycler #recycle @recycle .recycle",
        # Snapshots and versions
        "#snapshot @snapshot @recently-snapshot @sharesnap .snapshot .snapshots ~snapshot .zfs",
        ".stversions .stfolder .sync .timemachine",
        # What NAS systems, Windows and macOS keep for themselves
        "@eadir @tmp @appstore @database .@__thumb .@__qini .@upload_cache lost+found __macosx",
        ".appledouble .appledb .appledesktop .spotlight-v100 .fseventsd .temporaryitems",
        ".documentrevisions-v100 .thumbnails .mediathumb .bzvol",
        # Programs
        ".git .svn .hg .cache .config .local .var .npm .cargo .rustup .gradle .m2 .venv .mozilla",
        ".thunderbird .steam .wine .vscode .ssh .gnupg .dropbox .dropbox.cache",
        ".tmp.drivedownload .tmp.driveupload",
    )
    for name in line.split()
} | {"system volume information", "network trash folder", "temporary items"}
_BINS = ".trash"
_HIDDEN_STARTS = ("._", ".trashed-", ".pending-", ".gdr-")
"""Files that look like music and are not: AppleDouble, Android's bin and its downloads, ours."""


def of_folder(name: str) -> Reason | None:
    """Why a folder is left out by its name; None if it is not."""
    plain = name.casefold()
    return Reason.SYSTEM if plain in _SYSTEM or plain.startswith(_BINS) else None


def of_file(name: str) -> Reason | None:
    """Why a file is left out by its name; None if it is music."""
    is_music = suffix(name) in SUFFIXES
    if name.casefold().startswith(_HIDDEN_STARTS) or (name.startswith(".") and not is_music):
        return Reason.HIDDEN
    return None if is_music else Reason.KIND


def suffix(name: str) -> str:
    """The suffix of a file, in lower case."""
    return os.path.splitext(name)[1].lower()


class Excludes:
    """Globs of files and folders, whatever their case and however their letters are encoded.

    A glob with a slash is matched against the path relative to the root, another one against the
    name. A path inside the root is taken relative to it, and `/name` is only the one at the top.
    """

    def __init__(self, globs: Sequence[str] = (), root: Path | None = None) -> None:
        """Compile the globs.

        Raises:
            UsageError: if one is empty.
            LibraryError: if one is the root.
        """
        cleaned = [_relative(one, root) for one in globs]
        self._names = _compiled(one for one in cleaned if "/" not in one)
        self._paths = _compiled(one.removeprefix("/") for one in cleaned if "/" in one)

    def match(self, relative: str, name: str) -> bool:
        """Whether a file or folder is excluded."""
        if self._names is None and self._paths is None:
            return False
        path = relative.replace(os.sep, "/")
        return bool(
            (self._names and self._names.match(folded(name)))
            or (self._paths and self._paths.match(folded(path)))
        )


def within_part(globs: Sequence[str], part: str, root: Path) -> tuple[str, ...]:
    """Globs given for a folder inside the root as they have to be for the whole root.

    Args:
        globs: as they were given.
        part: the folder, relative to the root; empty for all of it.
        root: the music folder.
    """
    if not part:
        return tuple(globs)
    begin = prefix_of(part)
    top = os.path.abspath(root)
    found: list[str] = []
    for given in globs:
        cleaned = os.path.expanduser(given.strip())
        if cleaned == top or cleaned.startswith(os.path.join(top, "")):
            found.append(given)
            continue
        cleaned = _relative(given, None)
        found.append(begin + cleaned.removeprefix("/"))
        if "/" not in cleaned:
            found.append(f"{begin}*/{cleaned}")
    return tuple(found)


def prefix_of(part: str) -> str:
    """How a glob begins that only excludes what is in a folder, given relative to the root."""
    return f"./{glob.escape(part.replace(os.sep, '/'))}/"


def _compiled(globs: Iterable[str]) -> re.Pattern[str] | None:
    patterns = [fnmatch.translate(folded(one)) for one in globs]
    return re.compile("|".join(patterns)) if patterns else None


def _relative(given: str, root: Path | None) -> str:
    """A glob relative to the root; with a slash in front if it is only what is there."""
    cleaned = os.path.expanduser(given.strip()).replace(os.sep, "/").rstrip("/")
    if root is not None:
        top = os.path.abspath(root).replace(os.sep, "/").rstrip("/")
        if top and cleaned == top:
            raise LibraryError(f"{shown(root)} is itself excluded, so nothing in it is indexed")
        cleaned = cleaned.removeprefix(top) if cleaned.startswith(f"{top}/") else cleaned
    cleaned = re.sub(r"^(\./|\*\*/)+", "", cleaned)
    if not cleaned.strip("./"):
        raise UsageError("a glob to exclude is empty; name a folder, a file or a pattern of names")
    return cleaned
