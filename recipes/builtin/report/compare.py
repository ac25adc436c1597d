"""Compare two reports on the same sets, caption by caption.

    python -m recipes.builtin.report.compare --work DIR report report-plain

The reports are those that `report.evaluate` wrote. A set counts its captions alike; the difference
is the first report's average precision minus the second's, each caption paired with itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recipes.builtin.report.sets import SETS
from recipes.builtin.steps import step_parser
from training import metrics
from training.evaluation.tables import Table


def compared(first: Mapping[str, Any], second: Mapping[str, Any], names: tuple[str, str]) -> Table:
    """A row a set that both have, over the captions that both were asked."""
    table = Table(
        "Average precision, as gdr search ranks",
        ("captions", *names, "difference"),
        note="mAP %, with 95 % paired bootstrap intervals over the captions of the difference.",
    )
    for name in SETS:
        ours, theirs = (report.get(name, {}).get("each", {}) for report in (first, second))
        asked = [caption for caption in ours if caption in theirs]
        if not asked:
            continue
        a, b = (100 * np.array([each[caption] for caption in asked]) for each in (ours, theirs))
        difference = metrics.difference_interval(a, b)
        table.add(name, str(len(asked)), float(a.mean()), float(b.mean()), difference)
    return table


def main() -> None:
    """Run from the command line."""
    parser = step_parser(__doc__)
    parser.add_argument("first", help="name of a report in DIR")
    parser.add_argument("second")
    arguments = parser.parse_args()
    names = arguments.first, arguments.second
    files = (Path(arguments.work / f"{name}.json") for name in names)
    first, second = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    print(compared(first, second, names).markdown())


if __name__ == "__main__":
    main()
