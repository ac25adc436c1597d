"""Files that are either whole or absent: write under a temporary name, fsync, rename.

    write_text, write_bytes   a whole file at once
    replacing                 a path to write to, for writers that want one
    move_into_place           a file that was written over time, once it is complete
    move_folder_into_place    a folder of such files
    temporary_for             the hidden name of a file or folder that is being written
    sweep                     removes those that killed writers left

A reader sees the old content or the new one, never a part, whatever stops the writer. After an
exception nothing is left behind; a killed writer leaves at worst a hidden `.gdr-….part`, which the
next one in that folder removes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

_CANNOT_SYNC_FOLDERS = (errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.EBADF)
"""What folders without read permission and some network file systems answer."""

_TEMPORARY = re.compile(r"\.gdr-(?:([0-9a-f]{8})-(\d+)-)?[0-9a-f]{16}\.part")
_ABANDONED_S = 24 * 3600.0
"""Age from which a file counts as left where its writer cannot be asked for."""


def write_bytes(target: Path, content: bytes) -> None:
    """Create or replace a file.

    Raises:
        OSError: if the folder cannot be written; the target is unchanged.
    """
    with replacing(target) as temporary:
        temporary.write_bytes(content)


def write_text(target: Path, content: str, errors: str = "strict") -> None:
    """Create or replace a file of UTF-8 text; line ends are written as they are.

    Args:
        target: the file.
        content: its text.
        errors: what to do with characters that are not text, as for `str.encode`.

    Raises:
        OSError: if the folder cannot be written; the target is unchanged.
    """
    write_bytes(target, content.encode("utf-8", errors))


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A fresh path next to `target`; what is written there replaces it when the block ends.

    The path has the target's suffix, because some writers choose their format by it. A file that
    is replaced passes on its permissions.

    Raises:
        OSError: if the folder cannot be written; the target is unchanged.
    """
    sweep(target.parent)
    temporary = temporary_for(target)
    try:
        yield temporary
        if target.is_file() and not target.is_symlink():  # the link is replaced, not what it names
            shutil.copymode(target, temporary)
        move_into_place(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_for(target: Path) -> Path:
    """A hidden path next to a target, which says who writes there."""
    writer = f"{_machine()}-{os.getpid()}"
    return target.with_name(f".gdr-{writer}-{secrets.token_hex(8)}.part{target.suffix[:20]}")


def sweep(folder: Path) -> None:
    """Remove the temporary files and folders in a folder whose writers were killed."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if (named := _TEMPORARY.match(entry.name)) and _is_abandoned(named, entry):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    os.unlink(entry.path)


def _is_abandoned(named: re.Match[str], entry: os.DirEntry[str]) -> bool:
    machine, process = named.groups()
    if machine != _machine() or sys.platform == "win32":
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_S
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass  # it is another user's
    return False


@cache
def _machine() -> str:
    return hashlib.sha256(platform.node().encode("utf-8", "replace")).hexdigest()[:8]


def move_into_place(temporary: Path, target: Path) -> None:
    """Give a complete file its name; a file of that name is replaced.

    Both must be on one file system.

    Raises:
        OSError: if it cannot be renamed; both are as they were.
    """
    _sync_file(temporary)
    os.replace(temporary, target)
    sync_folder(target.parent)


def move_folder_into_place(temporary: Path, target: Path) -> None:
    """Give a complete folder its name, which must be free; the files in it are synced first.

    Both must be on one file system.

    Raises:
        OSError: if it cannot be renamed; both are as they were.
    """
    for path in temporary.rglob("*"):
        if path.is_file():
            _sync_file(path)
    sync_folder(temporary)
    os.replace(temporary, target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut, where folders can be synced."""
    if sys.platform == "win32":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC_FOLDERS:
            raise


def _sync_file(path: Path) -> None:
    # Windows syncs only files that are open for writing.
    with path.open("rb+" if sys.platform == "win32" else "rb") as file:
        os.fsync(file.fileno())
