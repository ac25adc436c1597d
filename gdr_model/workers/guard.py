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
_KEPT_MB = 16
"""What a process keeps of that between decoding, encoding and the next file; asking the system
again takes time."""

_DIES_WITH_PARENT = 1
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8
_REUSED, _ALONE = 64 << 20, 1 << 20


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
            libc.mallopt(_TRIM_THRESHOLD, _REUSED)
            libc.mallopt(_ARENAS, 1)


def reuse_pages(reused: bool) -> None:
    """Whether large arrays take pages that others were in, or pages of their own.

    While encoding they do: fresh pages for the arrays of every layer take a sixth of the time.
    While decoding, samples that grow are moved by the system, where they are alone, instead of
    being copied.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            libc.mallopt(_MMAP_THRESHOLD, _REUSED if reused else _ALONE)


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
        self._least = _anonymous()
        if sys.platform == "linux":
            import resource

            limit = _statm()[_RESERVED] * resource.getpagesize() + (2 * ALLOWED_MB << 20)
            hard = resource.getrlimit(resource.RLIMIT_AS)[1]
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))

    def held(self) -> int:
        """Bytes that it holds now, beyond what it held then."""
        return (_anonymous() - self._least) * mmap.PAGESIZE

    def give_back(self, kept_mb: int = _KEPT_MB) -> None:
        """Give the system what is free, if more than `kept_mb` is held."""
        if self.held() > kept_mb << 20:
            libc = ctypes.CDLL(None)
            if hasattr(libc, "malloc_trim"):
                libc.malloc_trim(0)


_RESERVED, _RESIDENT, _OF_FILES = 0, 1, 2


def _anonymous() -> int:
    """Pages of memory that this process holds and no file does; those of libraries are shared."""
    numbers = _statm()
    return numbers[_RESIDENT] - numbers[_OF_FILES]


def _statm() -> list[int]:
    """Pages of memory, by kind; zeros where nobody knows."""
    try:
        with open("/proc/self/statm") as file:
            return [int(number) for number in file.read().split()]
    except OSError:
        return [0, 0, 0]


def _watch_parent() -> None:
    parent = parent_process()
    if parent is None:
        return

    def follow() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
