"""What threads report about edits."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_model.types import Results
from gdr_tui.app.messages import Report


@dataclass
class PreviewFound(Report):
    """What an edit being tried finds; stale unless `number` is the latest try."""

    number: int
    results: Results | None
    took_s: float = 0.0
    problem: str = ""
    """One sentence where there is no answer."""
