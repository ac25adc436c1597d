"""What threads report about queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gdr_model.types import Results
from gdr_tui.app.messages import Report
from gdr_tui.app.trail.trail import Ask


@dataclass
class SearchAnswered(Report):
    """A query's answer; stale unless `number` is the app's latest."""

    number: int
    ask: Ask
    results: Results
    took_s: float
    quiet: bool
    """Drawn again because tracks arrived, not because the user asked."""
    notes: tuple[str, ...] = ()
    """What the user should know about the answer."""


@dataclass
class SearchRefused(Report):
    """A query without an answer, and why, in one sentence."""

    number: int
    sentence: str
    quiet: bool


@dataclass
class FilesMissed(Report):
    """Which of the listed files are not there now."""

    away: frozenset[Path]


@dataclass
class ConditionsCounted(Report):
    """The number of tracks that match each condition of a filter."""

    where: str
    counts: Mapping[str, int]
