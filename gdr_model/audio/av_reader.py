"""Read pieces of any other format with FFmpeg."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import av
import numpy as np

from gdr_model.audio.formats import AV_OPTIONS
from gdr_model.audio.pieces import Piece


def pieces(path: Path, start_s: float) -> Generator[Piece, None, None]:
    """Decode a file from `start_s` on."""
    av.logging.set_level(None)  # FFmpeg's messages would appear in the middle of the screen
    with av.open(str(path), options=AV_OPTIONS, metadata_errors="ignore") as container:
        stream = container.streams.audio[0]
        announced_s = (container.duration or 0) / 1e6
        if start_s:
            container.seek(int(start_s * 1e6))
        resampler = av.AudioResampler(format="fltp")  # only the sample format changes
        damage: av.InvalidDataError | None = None
        sound = False
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.InvalidDataError as error:
                damage = error  # players skip damaged parts too
                continue
            for frame in frames:
                sound = True
                early = round((start_s - (frame.time or 0.0)) * frame.sample_rate)
                for part in resampler.resample(frame):
                    samples = np.asarray(part.to_ndarray(), np.float32)  # (channels, N)
                    skipped = max(early, 0) if start_s else 0
                    yield Piece(samples.T[skipped:], frame.sample_rate, announced_s)
        if damage and not sound:
            raise damage
