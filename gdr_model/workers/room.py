"""Memory that processes hold together, whatever their files need.

As many get a file as there is room for, by what files took before. Where that was too little, they
wait, all but those that encode, and the one whose file comes first: so one of them always gets on,
and what it held is there for the others. No lock can be left behind by one that is killed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

TOGETHER_MB = 512
"""What all processes can take for their files, beyond what they held when they began. Sixteen that
read songs of four minutes take 350 MB on average."""
_USUALLY = 0.6
"""What a process holds on average, of the most it holds for a file: it grows while it decodes."""


class Numbers(Protocol):
    """Numbers in memory that several processes share."""

    def __getitem__(self, at: int, /) -> float:
        """Read one."""

    def __setitem__(self, at: int, value: float, /) -> None:
        """Write one."""

    def __iter__(self) -> Iterator[float]:
        """Read all."""


class Room:
    """What each process holds and has held, and the number of its task."""

    def __init__(self, context: Any, count: int, together_mb: int) -> None:
        """Make room for so many processes of a multiprocessing context."""
        self._together = together_mb << 20
        self._held: Numbers = context.RawArray("d", count)
        self._most: Numbers = context.RawArray("d", count)
        self._task: Numbers = context.RawArray("d", [math.inf] * count)

    def begin(self, place: int, task: int) -> None:
        """A process begins a task; the parent says so."""
        self._task[place] = task

    def end(self, place: int) -> None:
        """It has no task now; the parent says so."""
        self._task[place] = math.inf

    def hold(self, place: int, held: int) -> None:
        """How many bytes it holds; it says so itself, or the parent when it is gone."""
        self._held[place] = held

    def took(self, place: int, most: int) -> None:
        """A process has held that many bytes at most for a file; it says so itself."""
        self._most[place] = most

    def has_another(self, busy: int) -> bool:
        """Whether there is room for one more file, while so many are read."""
        took = [each for each in self._most if each > 0]
        usual = _USUALLY * sum(took) / len(took) if took else 0.0
        return (busy + 1) * usual <= self._together

    def is_short(self, place: int) -> bool:
        """Whether it has to wait."""
        full = sum(self._held) > self._together
        return full and self._task[place] > min(self._task)
