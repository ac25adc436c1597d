"""Which sentences are shown in the corner, and for how long. Free of Textual."""

from __future__ import annotations

from dataclasses import dataclass

READING_S = 3.0
"""The same sentence is not said again for so long, and a problem stays that long at least."""


@dataclass
class Notices:
    """What was said last."""

    _last: str = ""
    _was_problem: bool = False
    _at_s: float = float("-inf")

    def admit(self, sentence: str, problem: bool, now_s: float) -> tuple[bool, bool]:
        """Whether to say a sentence, and whether to clear what was said before it."""
        recent = now_s - self._at_s < READING_S
        if self._last == sentence and recent:
            return False, False
        clear = not (self._was_problem and recent)
        self._last, self._was_problem, self._at_s = sentence, problem, now_s
        return True, clear
