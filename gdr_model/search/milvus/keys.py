"""Names of contents and passages on a server: 63-bit numbers, the same in every store.

They depend on the sound and on where it is cut, so two people who index the same files have the
same keys. Among a million passages, two have one key once in twenty million libraries.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from gdr_model.store.records import Passages

Keys = NDArray[np.int64]

_POSITIVE = np.uint64((1 << 63) - 1)


def content_keys(names: NDArray[np.bytes_]) -> Keys:
    """A key for each content (R,)."""
    digests = (hashlib.blake2b(name, digest_size=8).digest() for name in names.tolist())
    whole = np.frombuffer(b"".join(digests), "<u8")
    return (whole & _POSITIVE).astype(np.int64)


def passage_keys(passages: Passages, contents: Keys) -> Keys:
    """A key for each passage (N,), from the keys of the contents (R,)."""
    mixed = contents.astype(np.uint64)[passages.contents.codes]
    for bounds_s in (passages.starts_s, passages.ends_s):
        mixed = _mixed(mixed ^ np.rint(bounds_s.astype(np.float64) * 1000).astype(np.uint64))
    return (mixed & _POSITIVE).astype(np.int64)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each number (N,) to another, every bit of which depends on every bit (splitmix64)."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
