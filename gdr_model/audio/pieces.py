"""What a decoding library returns at once, and how it fails."""

from __future__ import annotations

from typing import NamedTuple

import av
import soundfile

from gdr_model.types import Array

# PyAV's errors derive from ValueError, OSError and others; IndexError means no audio stream.
FAILURES = (
    soundfile.SoundFileError,
    av.FFmpegError,
    OSError,
    ValueError,
    IndexError,
    RuntimeError,
)


class Piece(NamedTuple):
    """Some decoded samples of a file. Rate and channels can change from piece to piece."""

    samples: Array  # (N, channels)
    rate_hz: int
    announced_s: float
    """Length by the file's header, 0 if it has none."""
