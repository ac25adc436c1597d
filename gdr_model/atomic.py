"""Files that are either whole or absent: write under a temporary name, fsync, rename.

    write_text, write_bytes   a whole file at once
    replacing                 a path to write to, for writers that want one
    move_into_place           a file that was written over time, once it is complete
    move_folder_into_place    a folder of such files

A reader sees the old content or the new one, never a part, whatever stops the writer. After an
exception nothing is left behind; after a power cut at worst a hidden `.gdr-….part` file is.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CANNOT_SYNC_FOLDERS = (errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.EBADF)
"""What folders without read permission and some network file systems answer."""


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
    temporary = target.with_name(f".gdr-{secrets.token_hex(8)}.part{target.suffix[:20]}")
    try:
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        move_into_place(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


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
