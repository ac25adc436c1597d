"""Tables of results, for people and programs: Markdown, JSON and PNG of the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.metrics import Interval
from training.runs import report
from training.runs.state import write_json

Cell = str | float | Interval
PANELS = 4
"""Figures of a table in its picture, at most."""


@dataclass
class Table:
    """Named rows under named columns."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, tuple[Cell, ...]]] = field(default_factory=list)
    note: str = ""

    def add(self, name: str, *cells: Cell) -> None:
        """Append a row."""
        self.rows.append((name, cells))

    def markdown(self) -> str:
        """Markdown with aligned columns, readable in a terminal."""
        lines = [("", *self.columns)]
        lines += [(name, *map(shown, cells)) for name, cells in self.rows]
        widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(lines[0]))]
        out = [_line(lines[0], widths), _line(["-" * w for w in widths], widths)]
        out += [_line(line, widths) for line in lines[1:]]
        note = f"\n{self.note}\n" if self.note else ""
        return f"### {self.title}\n\n" + "\n".join(out) + f"\n{note}"

    def panels(self) -> dict[str, report.Bars]:
        """What a picture of the table shows: its columns with intervals, else all it can show."""
        figures: dict[str, dict[str, tuple[float, float, float]]] = {}
        intervals: list[str] = []
        for column, title in enumerate(self.columns):
            for row, cells in self.rows:
                cell = cells[column]
                if isinstance(cell, Interval):
                    intervals.append(title)
                    figures.setdefault(title, {})[row] = cell.value, cell.low, cell.high
                elif not isinstance(cell, str):
                    figures.setdefault(title, {})[row] = cell, cell, cell
        chosen = dict.fromkeys(intervals) or figures
        return {title: figures[title] for title in list(chosen)[:PANELS]}

    def described(self) -> dict[str, Any]:
        """The table as JSON holds it."""
        return {
            "title": self.title,
            "note": self.note,
            "rows": {
                name: dict(zip(self.columns, map(_plain, cells), strict=True))
                for name, cells in self.rows
            },
        }


def save(folder: Path, name: str, tables: Sequence[Table], about: dict[str, Any]) -> str:
    """Write `NAME.json`, `NAME.md` and a PNG per table; returns the Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(table.markdown() for table in tables)
    write_json(folder / f"{name}.json", {**about, "tables": [t.described() for t in tables]})
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    for number, table in enumerate(tables, 1):
        report.bars(folder / f"{name}-{number}.png", table.title, table.panels())
    return text


def shown(cell: Cell) -> str:
    """A cell as text, with three significant digits or so."""
    if isinstance(cell, Interval):
        return f"{_short(cell.value)} [{_short(cell.low)}, {_short(cell.high)}]"
    return cell if isinstance(cell, str) else _short(cell)


def _short(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _plain(cell: Cell) -> Any:
    if isinstance(cell, Interval):
        return {"value": cell.value, "low": cell.low, "high": cell.high, "units": cell.units}
    return cell


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "| " + " | ".join([first, *rest]) + " |"
