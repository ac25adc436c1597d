"""The report of a run: curves as PNG, scalars for TensorBoard; each only if installed."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from typing import Any

NOT_VALIDATION = ("step", "loss", "gradient", "rate", "median_rank")
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


def bars(path: Path, title: str, named: dict[str, tuple[float, float, float]]) -> None:
    """Values with intervals (value, low, high), as horizontal bars."""
    plot = axes(1)
    if plot is None or not named:
        return
    figure, (panel,) = plot
    figure.set_size_inches(7, 1 + 0.32 * len(named))
    names = list(named)[::-1]
    values = [named[name][0] for name in names]
    panel.barh(names, values, color="#7a9cc6")
    for row, name in enumerate(names):
        _, low, high = named[name]
        panel.plot([low, high], [row, row], color="black", linewidth=1.2)
    panel.set_title(title)
    figure.savefig(path, dpi=120)
