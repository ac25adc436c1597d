"""What the steps of the recipe share: their options, and lists with one JSON object per line.

A step can be stopped at any time and run again: it appends a line once a track is complete, and
skips the tracks that are listed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdr_model import atomic


@dataclass(frozen=True)
class Part:
    """One of several processes that share a step's work."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Part:
        """`1/2` is the first of two.

        Raises:
            ValueError: for anything else.
        """
        first, _, count = text.partition("/")
        part = cls(int(first) - 1, int(count))
        if not 0 <= part.index < part.count:
            raise ValueError(text)
        return part

    def has(self, number: int) -> bool:
        """Whether piece of work `number` is this process's."""
        return number % self.count == self.index


WHOLE = Part(0, 1)


def step_parser(doc: str | None, *, parts: bool = False) -> argparse.ArgumentParser:
    """A parser with the first line of a module's docstring and the option `--work DIR`.

    With `parts`, it has `--part` too.
    """
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument(
        "--work",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for everything that is downloaded and made",
    )
    if parts:
        parser.add_argument(
            "--part",
            type=Part.parse,
            default=WHOLE,
            metavar="K/N",
            help="do only the K-th of N parts, so that N processes can share the work",
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
