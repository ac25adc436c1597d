"""The session's part for sound: waveforms and stretches to play, decoded on any thread."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gdr_model.errors import DecodeError
from gdr_model.types import Array, Cancel, never
from gdr_tui.app.playback.player import RATE_HZ

PEAK_RATE_HZ = 8_000
PEAKS_HELD = 1 << 24
"""Samples: half an hour. Longer files are decoded twice rather than held in memory."""
PEAK_COLUMNS = 1_000
"""More columns than any terminal shows; a widget thins them out."""


class Decoder:
    """Decodes files."""

    def peaks(self, path: Path, cancelled: Cancel = never) -> Array:
        """The waveform (columns, 2): lowest and highest sample of every column."""
        from gdr_model import audio

        decoded = audio.decode(path, PEAK_RATE_HZ, cancelled=cancelled, most=PEAKS_HELD)
        return audio.peaks(decoded.samples, PEAK_COLUMNS)

    def sound(self, path: Path, start_s: float, length_s: float) -> Array:
        """A stretch (N, 2) of a track at `RATE_HZ`; empty from its end on."""
        from gdr_model import audio

        try:
            return audio.load_for_playback(path, RATE_HZ, start_s=start_s, length_s=length_s)
        except DecodeError:
            if not start_s:
                raise
            return np.zeros((0, 2), np.float32)
