"""The report of a run: curves as PNG, scalars for TensorBoard; each only if installed."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

NOT_VALIDATION = ("step", "loss", "gradient", "rate", "processor_s", "median_rank")
"""Columns of the log that are not figures of a validation, or have another scale."""


def board(folder: Path) -> Any:
    """A TensorBoard writer, or None if that is not installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard.writer import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"))


def axes(panels: int) -> tuple[Any, list[Any]] | None:
    """A figure with panels side by side, for no display; None without matplotlib."""
    if importlib.util.find_spec("matplotlib") is None:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * panels, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(1, panels, squeeze=False)[0])


def curves(folder: Path) -> None:
    """`curves.png` of `log.csv`: the loss, the gradient, the validation."""
    plot = axes(3)
    if plot is None:
        return
    figure, panels = plot
    with (folder / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    measured = tuple(n for n in rows[0] if n not in NOT_VALIDATION) if rows else ()
    for panel, names in zip(panels, (("loss",), ("gradient",), measured), strict=True):
        for name in names:
            points = [(int(row["step"]), float(row[name])) for row in rows if row[name]]
            if points:
                panel.plot(*zip(*points, strict=True), label=name)
        panel.set_xlabel("step")
        if panel.lines:
            panel.legend(frameon=False)
    figure.savefig(folder / "curves.png", dpi=120)


Curve = Sequence[tuple[float, float]]
"""Points (x, y)."""


def curves_of(path: Path, panels: Mapping[str, Mapping[str, Curve]], x: str, mark: float) -> None:
    """Curves by name, one panel for each figure, over a logarithmic x with a mark on it."""
    plot = axes(len(panels))
    if plot is None:
        return
    figure, drawn = plot
    for panel, (figured, named) in zip(drawn, panels.items(), strict=True):
        for name, points in named.items():
            panel.plot(*zip(*points, strict=True), marker=".", label=name)
        panel.axvline(mark, color="black", linewidth=0.6, linestyle=":")
        panel.set(xscale="log", xlabel=x, title=figured)
    drawn[0].legend(frameon=False)
    figure.savefig(path, dpi=120)


Bars = Mapping[str, tuple[float, float, float]]
"""Values with the ends of their intervals, by name."""


def bars(path: Path, title: str, panels: Mapping[str, Bars]) -> None:
    """Horizontal bars with their intervals, one panel for each figure, below one title."""
    plot = axes(len(panels)) if panels else None
    if plot is None:
        return
    figure, drawn = plot
    names = list(dict.fromkeys(name for named in panels.values() for name in named))[::-1]
    longest = max(map(len, names))
    figure.set_size_inches(2 + 0.07 * longest + 2.6 * len(panels), 1.2 + 0.32 * len(names))
    for panel, (figured, named) in zip(drawn, panels.items(), strict=True):
        there = [name for name in names if name in named]
        rows = [names.index(name) for name in there]
        panel.barh(rows, [named[name][0] for name in there], color="#7a9cc6")
        for row, name in zip(rows, there, strict=True):
            _, low, high = named[name]
            panel.plot([low, high], [row, row], color="black", linewidth=1.2)
        panel.set_yticks(range(len(names)), names if panel is drawn[0] else [""] * len(names))
        panel.set_title(figured, fontsize="medium")
    width = figure.get_size_inches()[0]
    figure.suptitle("\n".join(wrap(title, max(20, round(10 * width)))))
    # The box grows to whatever a long name or title needs.
    figure.savefig(path, dpi=120, bbox_inches="tight")
