"""Sound is decoded on threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from gdr_model.errors import Cancelled
from gdr_model.types import Array, Cancel, never
from gdr_tui.app.playback.messages import PeaksReady, SoundAhead, SoundReady
from gdr_tui.app.playback.player import RATE_HZ
from gdr_tui.app.tasks import Tasks
from gdr_tui.app.values import sentence

STRETCH_S = 30.0
"""Sound is decoded this much at a time, so that playing starts at once in an hour's mix."""
AHEAD_S = 60.0
BEGINNING_S = 12.0
"""Seconds decoded ahead of results that may be played next."""

Moment = tuple[Path, float]
"""A file and a second in it."""


class Decodes(Protocol):
    """The part of a session that decodes sound."""

    def peaks(self, path: Path, cancelled: Cancel = never) -> Array:
        """The waveform (columns, 2): lowest and highest sample of every column."""

    def sound(self, path: Path, start_s: float, length_s: float) -> Array:
        """A stretch (N, 2) of a track at `RATE_HZ`; empty from its end on."""


class PlaybackJobs:
    """Starts the decoding of sound."""

    def __init__(self, tasks: Tasks, decoder: Decodes) -> None:
        self._tasks = tasks
        self._decoder = decoder

    def peaks(self, path: Path) -> None:
        """Compute a waveform."""
        self._tasks.start("waveform", partial(self._peaks, path))

    def sound(self, number: int, path: Path, start_s: float, played_s: Callable[[], float]) -> None:
        """Decode for playback, a little ahead of the playhead."""
        self._tasks.guard("sound", partial(self._sound, number, path, start_s, played_s), "sound")

    def ahead(self, moments: Sequence[Moment]) -> None:
        """Decode beginnings; those under way for other results are cancelled."""
        self._tasks.start("ahead", partial(self._ahead, moments))

    def _peaks(self, path: Path, cancelled: Cancel) -> None:
        try:
            self._tasks.post(PeaksReady(path, self._decoder.peaks(path, cancelled)))
        except Cancelled:
            return
        except Exception as error:
            none = np.zeros((0, 2), np.float32)
            self._tasks.post(PeaksReady(path, none, f"no waveform: {sentence(error)}"))

    def _sound(
        self,
        number: int,
        path: Path,
        start_s: float,
        played_s: Callable[[], float],
        cancelled: Cancel,
    ) -> None:
        at_s, last = start_s, False
        while not last and not cancelled():
            sound = self._decoder.sound(path, at_s, STRETCH_S)
            last = len(sound) < (STRETCH_S - 1) * RATE_HZ
            self._tasks.post(SoundReady(number, at_s, sound, last))
            at_s += len(sound) / RATE_HZ
            while not last and not cancelled() and at_s - played_s() > AHEAD_S:
                time.sleep(0.1)

    def _ahead(self, moments: Sequence[Moment], cancelled: Cancel) -> None:
        for path, start_s in moments:
            if cancelled():
                return
            try:
                sound = self._decoder.sound(path, start_s, BEGINNING_S)
            except Exception:  # noqa: S112 - reported when it is played
                continue
            last = len(sound) < (BEGINNING_S - 1) * RATE_HZ
            if len(sound):
                self._tasks.post(SoundAhead((path, start_s), sound, last))
