"""What is loaded for good, and the garbage collector, which would look through it again and again.

torch, the models and the tracks of a library are some hundred thousand objects. Python's collector
stops every thread while it visits them all: the keys would stand still for a quarter of a second
every now and then, and loading takes longer by as much.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_for_good() -> Iterator[None]:
    """Collect no garbage meanwhile, and leave out for good what is there at the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
