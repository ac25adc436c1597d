"""The validation of several runs while they trained, at equal processor time.

Runs of different networks cost different amounts a step, so their curves are compared over the
processor time of training (`log.csv`), without that of validations. They have to hold out and
validate on the same tracks. On a GPU, processor time says little.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdr_model.errors import UsageError
from training.evaluation.tables import Table
from training.runs import report
from training.runs.known import SPLITS
from training.runs.state import read_config

FIGURES = ("R@1", "R@10", "median_rank")
TITLES = ("R@1 %", "R@10 %", "median rank")


@dataclass(frozen=True)
class Validated:
    """A validation of a run: when, and what it measured."""

    step: int
    processor_s: float
    figures: tuple[float, ...]
    """Of `FIGURES`."""


def curves(folders: Sequence[str], picture: Path) -> tuple[list[Table], dict[str, Any]]:
    """Compare runs; writes the curves as a picture.

    Returns:
        The table, and what it was made of.

    Raises:
        RunError: if a folder is not that of a run.
        UsageError: if runs cannot be compared, or one has not been validated.
    """
    runs = {folder: _validations(Path(folder)) for folder in folders}
    _check_alike([Path(folder) for folder in folders])
    common_s = min(found[-1].processor_s for found in runs.values())
    table = Table(
        f"Validation after {common_s / 60:.3g} minutes of processor time",
        ("step", *TITLES, "best R@10 %", "R@10 % at the end", "minutes in all"),
        note="Of the last validation up to that time, and of the best. Processor time is that of "
        "training; validations are not counted.",
    )
    at = FIGURES.index("R@10")
    for folder, found in runs.items():
        within = [one for one in found if one.processor_s <= common_s] or found[:1]
        last, end = within[-1], found[-1]
        best = max(one.figures[at] for one in within)
        table.add(
            folder, str(last.step), *last.figures, best, end.figures[at], end.processor_s / 60
        )
    panels = {
        title: {
            folder: [(one.processor_s / 60, one.figures[number]) for one in found]
            for folder, found in runs.items()
        }
        for number, title in enumerate(TITLES)
    }
    picture.parent.mkdir(parents=True, exist_ok=True)
    report.curves_of(picture, panels, "minutes of processor time", common_s / 60)
    return [table], {"protocol": "curves", "runs": list(folders), "processor_s": common_s}


def _validations(folder: Path) -> list[Validated]:
    """The validations in a run's log.

    Raises:
        RunError: if the folder is not that of a run.
        UsageError: if its log has none, or no processor time.
    """
    read_config(folder)
    try:
        with (folder / "log.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get("R@10")]
    except OSError:
        rows = []
    if not rows:
        raise UsageError(f"{folder} has no validation yet")
    if not rows[-1].get("processor_s"):
        raise UsageError(f"the log of {folder} has no processor time; train it again")
    return [
        Validated(
            int(row["step"]),
            float(row["processor_s"] or 0),
            tuple(float(row[name]) for name in FIGURES),
        )
        for row in rows
    ]


def _check_alike(folders: Sequence[Path]) -> None:
    """Refuse runs that do not validate on the same tracks.

    Raises:
        UsageError: naming two of them.
    """

    def kept(folder: Path) -> tuple[object, ...]:
        config, held_out, _ = read_config(folder)
        return (folder / SPLITS).read_bytes(), held_out, config.data.validation

    first = kept(folders[0])
    for other in folders[1:]:
        if kept(other) != first:
            raise UsageError(
                f"{folders[0]} and {other} do not validate on the same tracks; train both on one "
                "set, with one --fold"
            )
