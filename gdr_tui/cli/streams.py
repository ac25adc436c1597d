"""Streams that the caller has closed (`gdr search piano 2>&-`).

Python leaves them None, and the next file to be opened, a database perhaps, takes the number that
everybody writes messages to. What is closed is replaced by one that holds nothing.
"""

from __future__ import annotations

import os
import sys


def fill_closed() -> None:
    """Open stdin, stdout and stderr on the null device where they are closed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 (kept open)
            setattr(sys, name, stream)
