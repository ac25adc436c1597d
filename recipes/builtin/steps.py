"""What the steps of the recipe share: their options, and lists with one JSON object per line.

A step can be stopped at any time and run again: it appends a line once a track is complete, and
skips the tracks that are listed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gdr_model import atomic


def step_parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser with the first line of a module's docstring and the option `--work DIR`."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument(
        "--work",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for everything that is downloaded and made",
    )
    return parser


def read_list(path: Path) -> list[dict[str, Any]]:
    """The objects of a list, none if there is no such file.

    A line that cannot be parsed is skipped: the writer was stopped in the middle of it, or is still
    writing it.
    """
    if not path.exists():
        return []
    records = []
    for line in path.read_text(encoding="utf-8").split("\n"):  # not at the U+2028 of a title
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


def append_to_list(path: Path, record: Mapping[str, Any]) -> None:
    """Add a line to a list, after completing the last line with a line break if it has none."""
    line = json.dumps(record, ensure_ascii=False) + "\n"
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, 2)
            line = line if file.read(1) == b"\n" else "\n" + line
        file.write(line.encode())


def write_list(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write a whole list, replacing one that exists."""
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    atomic.write_text(path, "".join(lines))
