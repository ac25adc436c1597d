"""Captioned music in any supported format: `read` returns one `Dataset` of `Item`s.

songdescriber  song_describer.csv: caption_id, track_id, caption, is_valid_subset, path; the sound
               of a path is in `<path>.2min.mp3`
musiccaps      musiccaps-public.csv: ytid, start_s, end_s, caption, aspect_list; sound `<ytid>.wav`
csv, jsonl     file_path (or file), caption, and where present split, track_id, start_s, end_s
folder         a folder of music; tags become the captions
arrays         .npz or .safetensors: one row of numbers per caption, with captions and track ids

A row that cannot be used becomes a `Problem` that names its line, and reading continues; `strict`
refuses instead. Splits are by track (`splits`).
"""

from __future__ import annotations

from pathlib import Path

from gdr_model.errors import UsageError
from training.data import arrays, folder, tables
from training.data.items import Dataset, DatasetError, Item, Problem
from training.data.splits import Splits

__all__ = ["FORMATS", "Dataset", "DatasetError", "Item", "Problem", "Splits", "is_set", "read"]

MANIFEST = "manifest.json"
"""The file that makes a folder an extraction."""
FORMATS = ("auto", *tables.TABLES, "folder", "arrays")


def read(
    path: Path, audio: Path | None = None, form: str = "auto", *, strict: bool = False
) -> Dataset:
    """Read a dataset.

    `audio` is the folder that file names are relative to; without it a table gives its words
    alone, and no item has a path. A folder of music is its own.

    Raises:
        UsageError: if there is nothing at `path`, or no such format.
        DatasetError: if it is of another format, or no row of it (`strict`: a row) can be used.
    """
    if form not in FORMATS:
        raise UsageError(f"unknown format {form!r} of a dataset; use one of {', '.join(FORMATS)}")
    if not path.exists():
        raise UsageError(f"there is no dataset {path}")
    form = _guess(path) if form == "auto" else form
    if path.is_dir() != (form == "folder"):
        raise DatasetError(f"{path} is {'a' if path.is_dir() else 'no'} folder, not {form}")
    if audio is not None and not audio.is_dir():
        raise UsageError(f"there is no folder {audio}")
    if form == "folder":
        found = folder.read(path)
    elif form == "arrays":
        found = arrays.read(path)
    else:
        found = tables.read(path, audio, form)
    if strict and found.problems:
        raise DatasetError(f"{found.problems[0]} ({len(found.problems)} such rows in all)")
    if not found.items:
        why = f", beginning with {found.problems[0]}" if found.problems else ""
        raise DatasetError(f"{path} holds no caption that can be used{why}")
    return found


def is_set(name: str) -> bool:
    """Whether a name is that of a set to train or evaluate on: an extraction, or arrays."""
    path = Path(name)
    return (path / MANIFEST).is_file() or (path.suffix in arrays.SUFFIXES and path.is_file())


def _guess(path: Path) -> str:
    if path.is_dir():
        return "folder"
    suffix = path.suffix.lower()
    if suffix in arrays.SUFFIXES:
        return "arrays"
    return "jsonl" if suffix in (".jsonl", ".ndjson") else tables.guess(path)
