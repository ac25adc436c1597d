"""The figures of `gdr bench`: how they are taken, and how they are printed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from gdr_tui.cli.output import write


def taken(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def seconds(action: Callable[[], object], repeats: int) -> float:
    """The median time of an action, after one run that warms it up."""
    action()
    return middle([taken(action) for _ in range(repeats)])


def middle(taken: Sequence[float]) -> float:
    """The median of some times."""
    return sorted(taken)[len(taken) // 2]


def late(taken: Sequence[float]) -> float:
    """The time that 95 of 100 stay below."""
    return sorted(taken)[min(len(taken) - 1, int(0.95 * len(taken)))]


def row(what: str, value: str, compared: str = "") -> None:
    """Print one figure, and what it compares with."""
    write(f"{what:34}{value:>14}  {compared}".rstrip() + "\n")


def ms(taken_s: float) -> str:
    """A time in milliseconds."""
    return f"{1e3 * taken_s:,.{0 if taken_s >= 0.01 else 2}f} ms"
