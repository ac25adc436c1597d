"""Tables of captions: the two public ones and the generic, as CSV and JSONL.

The files are read as people make them: a byte-order mark, quoted line breaks and letters that
are not UTF-8 are met with, and end in a row that is named rather than in a reader that stops.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TextIO

from gdr_model import plain
from training.data.items import Dataset, DatasetError, Item, Problem

Fields = dict[str, str]


class Unusable(Exception):
    """A row cannot be used, for this reason."""


class _Table(NamedTuple):
    columns: tuple[str, ...]
    """What the header must have."""
    item: Callable[[Fields, Path | None], Item]


def read(path: Path, audio: Path | None, form: str) -> Dataset:
    """Read a table of one of `TABLES`; see `training.data.read`."""
    make = TABLES[form].item
    items: list[Item] = []
    problems: list[Problem] = []
    seen: dict[Item, int] = {}
    rows = _jsonl_rows(path) if form == "jsonl" else _csv_rows(path, TABLES[form].columns)
    try:
        for line, fields in rows:
            where = f"{path.name}, line {line}"
            if isinstance(fields, str):
                problems.append(Problem(where, fields))
                continue
            try:
                item = make(fields, audio)
            except Unusable as error:
                problems.append(Problem(where, str(error)))
                continue
            if item in seen:
                problems.append(Problem(where, f"it repeats line {seen[item]}"))
                continue
            seen[item] = line
            items.append(item)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}") from error
    return Dataset(path.stem, tuple(items), tuple(problems))


def guess(path: Path) -> str:
    """Which table a CSV is, by its header.

    Raises:
        DatasetError: if it is none of them.
    """
    try:
        with _open(path) as file:
            names = [name.strip() for name in next(csv.reader(file), [])]
    except (OSError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read as a table: {error}") from error
    for form in ("songdescriber", "musiccaps", "csv"):
        if {_ALIASES.get(name, name) for name in names} >= set(TABLES[form].columns):
            return form
    raise DatasetError(
        f"{path} is no table of captions: its header needs the columns "
        + ", or ".join(" + ".join(table.columns) for table in TABLES.values() if table.columns)
    )


# Rows, each with the line it begins in; a text in place of fields says why it cannot be used.


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _csv_rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, Fields | str]]:
    with _open(path) as file:
        reader = csv.reader(file, strict=True)
        header: list[str] | None = None
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                yield line, f"it is no row of a table: {error}"
                continue
            if header is None:
                header = [_ALIASES.get(name.strip(), name.strip()) for name in row]
                missing = [name for name in needed if name not in header]
                if missing:
                    raise DatasetError(f"{path} has no column {missing[0]}")
            elif not row:
                continue
            elif len(row) != len(header):
                yield line, f"it has {len(row)} fields, the header {len(header)}"
            else:
                yield line, dict(zip(header, row, strict=True))


def _jsonl_rows(path: Path) -> Iterator[tuple[int, Fields | str]]:
    with path.open("rb") as file:
        for line, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            try:
                value = plain.from_json(raw.decode("utf-8-sig"))
            except (ValueError, RecursionError):
                yield line, "it is not JSON"
                continue
            if not isinstance(value, dict):
                yield line, "it is not a JSON object"
                continue
            given = {_ALIASES.get(k, k): v for k, v in value.items() if v is not None}
            odd = [k for k in _GENERIC if isinstance(given.get(k), list | dict | bool)]
            if odd:
                yield line, f"{odd[0]} is neither a text nor a number"
            else:
                yield line, {k: str(given[k]) for k in _GENERIC if k in given}


# Items


def _generic(fields: Fields, audio: Path | None) -> Item:
    name = _text(fields, "file_path")
    start_s, end_s = _stretch(fields)
    return Item(
        track=fields.get("track_id", "").strip() or PurePosixPath(name).as_posix(),
        caption=_text(fields, "caption"),
        path=_sound(audio, name),
        start_s=start_s,
        end_s=end_s,
        split=fields.get("split", "").strip(),
    )


def _songdescriber(fields: Fields, audio: Path | None) -> Item:
    name = _text(fields, "path")
    stem = name.removesuffix(".mp3")
    return Item(
        track=_text(fields, "track_id"),
        caption=_text(fields, "caption"),
        path=_sound(audio, f"{stem}.2min.mp3", f"{name}.2min.mp3", name),
        split="valid" if fields["is_valid_subset"].strip().lower() == "true" else "",
    )


def _musiccaps(fields: Fields, audio: Path | None) -> Item:
    ytid = _text(fields, "ytid")
    start_s, end_s = _stretch(fields)
    if start_s is None or end_s is None:
        raise Unusable("start_s or end_s is empty")
    evaluated = fields.get("is_audioset_eval", "").strip().lower()
    return Item(
        track=ytid,
        caption=_text(fields, "caption"),
        path=_sound(audio, f"{ytid}.wav"),
        start_s=start_s,
        end_s=end_s,
        split={"true": "eval", "false": "train"}.get(evaluated, ""),
    )


def _text(fields: Fields, name: str) -> str:
    text = " ".join(fields.get(name, "").split())
    if not text:
        raise Unusable(f"the {name} is empty")
    # File names may be any bytes; words are read by a model that knows none such.
    if name not in ("file_path", "path") and any("\ud800" <= c <= "\udfff" for c in text):
        raise Unusable(f"the {name} is not UTF-8")
    return text


def _stretch(fields: Fields) -> tuple[float | None, float | None]:
    bounds: list[float | None] = []
    for name in ("start_s", "end_s"):
        text = fields.get(name, "").strip()
        try:
            bounds.append(float(text) if text else None)
        except ValueError:
            raise Unusable(f"{name} is {text!r}, not a number") from None
        if not math.isfinite(bounds[-1] or 0) or (bounds[-1] or 0) < 0:
            raise Unusable(f"{name} is {text}, not a time")
    start_s, end_s = bounds
    if end_s is not None and end_s <= (start_s or 0):
        raise Unusable(f"it ends at {end_s:g} s, before it starts")
    return start_s, end_s


def _sound(audio: Path | None, *names: str) -> Path | None:
    """The first of the files that is there."""
    if audio is None:
        return None
    for name in names:
        if "\0" not in name and (audio / name).is_file():
            return audio / name
    raise Unusable(f"there is no sound {names[0]} in {audio}")


_ALIASES = {"file": "file_path"}
_GENERIC = ("file_path", "caption", "split", "track_id", "start_s", "end_s")

TABLES = {
    "songdescriber": _Table(("track_id", "caption", "is_valid_subset", "path"), _songdescriber),
    "musiccaps": _Table(("ytid", "start_s", "end_s", "caption", "aspect_list"), _musiccaps),
    "csv": _Table(("file_path", "caption"), _generic),
    "jsonl": _Table((), _generic),
}
