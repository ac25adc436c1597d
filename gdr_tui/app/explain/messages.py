"""What threads report about explanations."""

from __future__ import annotations

from dataclasses import dataclass

from gdr_model.explanation import Interpretation, Why
from gdr_model.types import Results
from gdr_tui.app.messages import Report


@dataclass
class InterpretationsFound(Report):
    """The interpretations of a query; stale unless the results are those shown."""

    results: Results
    interpretations: tuple[Interpretation, ...]


@dataclass
class WhyFound(Report):
    """Why a track was found; stale unless `number` is the latest question."""

    number: int
    why: Why | None
    problem: str = ""
    """One sentence where there is no answer."""
