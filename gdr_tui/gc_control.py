"""Keep long-lived objects out of garbage collection.

torch and the models are several hundred thousand objects. Python's collector stops every thread
while it visits them all: keys would freeze for a quarter of a second now and then, and loading
would take that much longer.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def long_lived() -> Iterator[None]:
    """Pause garbage collection, and afterwards exclude everything that exists from it."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
