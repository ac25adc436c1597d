"""Mount a file system that never answers: `python hanging.py FOLDER`, until this is killed.

A stuck server cannot be had in a test, but a program that serves files for the kernel (FUSE) and
never reads what it is asked is the same for whoever asks.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time

NO_DEVICES, NO_PROGRAMS_AS_ROOT = 4, 2


def main(folder: str) -> None:
    """Mount it, say so, and wait."""
    device = os.open("/dev/fuse", os.O_RDWR)
    owner = f"user_id={os.getuid()},group_id={os.getgid()}"
    options = f"fd={device},rootmode=40000,{owner}".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    flags = NO_DEVICES | NO_PROGRAMS_AS_ROOT
    if libc.mount(b"hanging", os.fsencode(folder), b"fuse", flags, options):
        sys.exit(os.strerror(ctypes.get_errno()))
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    time.sleep(3600)


if __name__ == "__main__":
    main(sys.argv[1])
