"""What threads report about sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gdr_model.types import Array
from gdr_tui.app.messages import Report


@dataclass
class PeaksReady(Report):
    """The waveform of a track, or a note why there is none."""

    path: Path
    peaks: Array  # (columns, 2)
    note: str = ""


@dataclass
class SoundReady(Report):
    """A stretch of a track, decoded for playback; stale unless `number` is the latest."""

    number: int
    start_s: float
    sound: Array  # (N, 2)
    last: bool


@dataclass
class SoundAhead(Report):
    """How a track sounds from a moment on, decoded before it is asked for."""

    moment: tuple[Path, float]
    sound: Array  # (N, 2)
    last: bool
