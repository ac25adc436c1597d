"""The passages and vectors of a large library, kept in files so that opening it reads neither.

    passages.json      of which library, space and whitening, with the SHA-256 of the others
    passages.npy       a row for each passage: id, content, seconds, place of its mean
    contents.npy       the different contents
    recordings.npy     the mean vector of each content, in 16 bits, mapped into memory
    vectors.npy        the vectors of the passages, the same way

Nothing here is trusted: the checksums are compared, the numbers checked against each other and a
sample of vectors against the library's own means. On any difference the files are made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdr_model import atomic, plain
from gdr_model.private import make_private
from gdr_model.store.records import Contents, Passages

_ROW = np.dtype(
    [("id", "<i8"), ("mean", "<i8"), ("content", "<i4"), ("start_s", "<f4"), ("end_s", "<f4")]
)
_FILES = "passages.npy", "contents.npy", "recordings.npy", "vectors.npy"
_FORMAT = 1


@dataclass(frozen=True)
class Kept:
    """What was read."""

    stamp: str
    """Of the library (`Library.stamp`) when it was written."""
    ids: NDArray[np.int64]
    contents: Contents
    starts_s: NDArray[np.float32]
    ends_s: NDArray[np.float32]
    mean_rows: NDArray[np.int64]
    recordings: NDArray[np.int16]  # (R, D)
    vectors: NDArray[np.int16]  # (N, D)


def read(folder: Path, facts: Mapping[str, Any], dim: int) -> Kept | None:
    """What a folder keeps under these facts; None if there is nothing, or it cannot be trusted."""
    try:
        manifest = plain.from_json((folder / "passages.json").read_text("utf-8"))
        sums = {name: sha256(folder / name) for name in _FILES}
        expected = {"format": _FORMAT, **facts, "sha256": sums}
        if {name: manifest.get(name) for name in expected} != expected:
            return None
        table, names = (np.load(folder / name) for name in _FILES[:2])
        recordings, vectors = (np.load(folder / name, mmap_mode="r") for name in _FILES[2:])
        whole = (
            table.dtype == _ROW
            and table.ndim == names.ndim == 1
            and names.dtype.kind == "S"
            and vectors.dtype == recordings.dtype == np.dtype("<i2")
            and recordings.shape == (len(names), dim)
            and vectors.shape == (len(table), dim)
            and bool((np.diff(table["id"]) > 0).all())
            and 0 <= table["content"].min() <= table["content"].max() < len(names)
        )
        if not whole:
            return None
        # Columns of their own: a view would keep the whole table, and be slow to read.
        ids, means, codes, starts_s, ends_s = (
            np.ascontiguousarray(table[name]) for name in _ROW.names or ()
        )
        contents = Contents(names, codes)
        return Kept(
            str(manifest["stamp"]), ids, contents, starts_s, ends_s, means, recordings, vectors
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError, EOFError):
        return None


def write(
    folder: Path,
    facts: Mapping[str, Any],
    stamp: str,
    passages: Passages,
    recordings: NDArray[np.int16],
    vectors: NDArray[np.int16],
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Keep passages, and the vectors of their contents (R, D) and their own (N, D).

    Returns:
        These two, mapped from their files, so that they take no memory of this program.

    Raises:
        OSError: if the disk cannot be written.
    """
    table = np.empty(len(passages.ids), _ROW)
    columns = passages.ids, passages.mean_rows, passages.contents.codes
    for name, column in zip(
        _ROW.names or (), (*columns, passages.starts_s, passages.ends_s), strict=True
    ):
        table[name] = column
    make_private(folder)
    arrays = table, passages.contents.names, recordings, vectors
    sums = {}
    for name, array in zip(_FILES, arrays, strict=True):
        with atomic.replacing(folder / name) as part:
            np.save(part, array)
            sums[name] = sha256(part)
    manifest = {"format": _FORMAT, **facts, "stamp": stamp, "sha256": sums}
    atomic.write_text(folder / "passages.json", json.dumps(manifest, indent=2))
    mapped = [np.load(folder / name, mmap_mode="r") for name in _FILES[2:]]
    if any(sha256(folder / name) != sums[name] for name in _FILES[2:]):
        return recordings, vectors  # another program has replaced them
    return mapped[0], mapped[1]


def sha256(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
