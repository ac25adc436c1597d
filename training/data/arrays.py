"""Arrays that were extracted elsewhere: one row of numbers per caption.

`.npz` holds `caption` and `track_id` as texts and one array of numbers, whatever its name.
`.safetensors` cannot hold texts: there both are JSON lists in the metadata, under the same
names. An optional `split` goes the same way.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from gdr_model import plain
from gdr_model.types import Array
from training.data.items import Dataset, DatasetError, Item, Problem

SUFFIXES = (".npz", ".safetensors")


def read(path: Path) -> Dataset:
    """Read the arrays of a file; see `training.data.read`."""
    reader = _safetensors if path.suffix.lower() == ".safetensors" else _npz
    try:
        texts, numbers = reader(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, SafetensorError) as error:
        raise DatasetError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    captions, tracks = _named(path, texts, "caption"), _named(path, texts, "track_id")
    splits = texts.get("split", [""] * len(captions))
    if not len(captions) == len(tracks) == len(splits):
        raise DatasetError(f"{path} has {len(captions)} captions, {len(tracks)} track ids")
    fitting = {
        name: array
        for name, array in numbers.items()
        if array.ndim >= 2 and len(array) == len(captions) and array.dtype.kind == "f"
    }
    if len(fitting) != 1:
        names = ", ".join(sorted(fitting)) or "none"
        raise DatasetError(
            f"{path} needs one array of {len(captions)} rows of numbers; it has {names}"
        )
    (array,) = fitting.values()
    rows: Array = np.ascontiguousarray(array, np.float32)
    usable = [bool(np.isfinite(row).all()) for row in rows]
    items: list[Item] = []
    problems: list[Problem] = []
    for row, (caption, track, split) in enumerate(zip(captions, tracks, splits, strict=True)):
        words, where = " ".join(caption.split()), f"{path.name}, row {row}"
        if not words or not track.strip():
            problems.append(Problem(where, f"the {'track_id' if words else 'caption'} is empty"))
        elif not usable[row]:
            problems.append(Problem(where, "it holds values that are not finite numbers"))
        else:
            items.append(Item(track.strip(), words, row=row, split=split))
    return Dataset(path.stem, tuple(items), tuple(problems), rows)


Parts = tuple[dict[str, list[str]], dict[str, np.ndarray[Any, np.dtype[Any]]]]


def _npz(path: Path) -> Parts:
    texts: dict[str, list[str]] = {}
    numbers: dict[str, np.ndarray[Any, np.dtype[Any]]] = {}
    # Opened here: numpy leaves a file open that turns out not to be an archive.
    with path.open("rb") as raw, zipfile.ZipFile(raw):
        raw.seek(0)
        file = np.load(raw, allow_pickle=False)
        for name in file.files:
            array = file[name]
            # Track ids may be whole numbers.
            if array.ndim == 1 and array.dtype.kind in "Uiu":
                texts[name] = [str(value) for value in array.tolist()]
            else:
                numbers[name] = array
    return texts, numbers


def _safetensors(path: Path) -> Parts:
    with safe_open(path, framework="numpy") as file:
        numbers = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict)
        metadata: dict[str, str] = file.metadata() or {}
    texts: dict[str, list[str]] = {}
    for name in ("caption", "track_id", "split"):
        if name in metadata:
            values = plain.from_json(metadata[name])
            if not isinstance(values, list):
                raise ValueError(f"{name} in its metadata is no list")
            texts[name] = [str(value) for value in values]
    return texts, numbers


def _named(path: Path, texts: dict[str, list[str]], name: str) -> Sequence[str]:
    if name not in texts:
        raise DatasetError(f"{path} has no texts named {name}")
    return texts[name]
