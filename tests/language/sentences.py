"""Sentences with and without a negation, and how each is to be read.

`DEVELOPED` (developed.txt) was used while the rules were written; `HELD_OUT` (held_out.txt) was
written before them, and no rule or word was changed for it. A negated sentence has the words that
remain, and what it pushes away from; a plain one keeps all of its words.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Sentence(NamedTuple):
    """A line, its words, and its negatives."""

    line: str
    words: str
    negatives: tuple[str, ...]


def _sentences(name: str) -> tuple[Sentence, ...]:
    """Rows of `line | words | negative, negative`; a row with the line alone is plain."""
    table = Path(__file__).with_name(name).read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.split("|")] for row in table.strip().splitlines()]
    return tuple(
        Sentence(row[0], row[0], ())
        if len(row) == 1
        else Sentence(row[0], row[1], tuple(filter(None, (t.strip() for t in row[2].split(",")))))
        for row in rows
    )


DEVELOPED = _sentences("developed.txt")
HELD_OUT = _sentences("held_out.txt")
