"""What keeps a process that reads files within its limits, and from outliving its parent."""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import signal
import sys
import threading
from multiprocessing import connection, parent_process

ALLOWED_MB = 320
"""What reading one file can take, beyond what a process holds when it begins."""
_KEPT_MB = 32
"""What a process keeps of that between decoding, encoding and the next file; asking the system
again takes time."""

_DIES_WITH_PARENT = 1
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8
_REUSED = 64 << 20


def settle(niceness: int) -> None:
    """Prepare this process for reading files: it is quiet, thrifty, and ends with its parent."""
    quieten()
    # Each length of sound has kernels of its own, and a thousand of them would be kept.
    os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] = "64"
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    gc.freeze()  # what was imported is shared with other processes until it is written to
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_DIES_WITH_PARENT, signal.SIGKILL)
        if hasattr(libc, "mallopt"):
            # Otherwise the arrays of every layer are fresh pages, which takes a sixth of the time.
            libc.mallopt(_MMAP_THRESHOLD, _REUSED)
            libc.mallopt(_TRIM_THRESHOLD, _REUSED)
            libc.mallopt(_ARENAS, 1)


def quieten() -> None:
    """Prepare this process: no output, no ctrl+c, an end when its parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent reads of it and ends the others
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):  # libraries write there, across the terminal's display
        os.dup2(nowhere, stream)
    os.close(nowhere)
    _watch_parent()


class Memory:
    """What this process holds; make it once all is loaded."""

    def __init__(self) -> None:
        """Limit what this process reserves from now on to twice `ALLOWED_MB`.

        A decoder that asks for gigabytes at once is refused; what grows is seen by the parent,
        which looks at what is really held. Only Linux has such a limit.
        """
        self._least = _pages(_HELD)
        if sys.platform == "linux":
            import resource

            limit = _pages(_RESERVED) * resource.getpagesize() + (2 * ALLOWED_MB << 20)
            hard = resource.getrlimit(resource.RLIMIT_AS)[1]
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))

    def give_back(self) -> None:
        """Give the system what is free, if that is much."""
        if _pages(_HELD) - self._least > (_KEPT_MB << 20) // mmap.PAGESIZE:
            libc = ctypes.CDLL(None)
            if hasattr(libc, "malloc_trim"):
                libc.malloc_trim(0)


_RESERVED, _HELD = 0, 1


def _pages(which: int) -> int:
    """Pages of memory that this process has reserved, or holds; 0 where nobody knows."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[which])
    except OSError:
        return 0


def _watch_parent() -> None:
    parent = parent_process()
    if parent is None:
        return

    def follow() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
