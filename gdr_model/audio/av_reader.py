"""Read pieces of any other format with FFmpeg."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import av
import numpy as np

from gdr_model.audio.formats import AV_OPTIONS
from gdr_model.audio.pieces import Piece
from gdr_model.audio.source import Source

_BUFFER = 1 << 17


def opened(source: Source) -> Any:
    """The container of a file, from where the source begins.

    Raises:
        av.FFmpegError: if FFmpeg does not know the format, or must not read it.
    """
    av.logging.set_level(None)  # FFmpeg's messages would appear in the middle of the screen
    source.seek(0)
    return av.open(source, options=AV_OPTIONS, metadata_errors="ignore", buffer_size=_BUFFER)


def pieces(source: Source, start_s: float) -> Generator[Piece, None, None]:
    """Decode a file from `start_s` on."""
    with opened(source) as container:
        stream = container.streams.audio[0]
        announced_s = (container.duration or 0) / 1e6
        if start_s:
            container.seek(int(start_s * 1e6))
        packed = _Packed()
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
                for samples in packed.samples(frame):
                    skipped = max(early, 0) if start_s else 0
                    yield Piece(samples[skipped:], frame.sample_rate, announced_s)
        if damage and not sound:
            raise damage


class _Packed:
    """Converts frames of any sample format to floats, all channels in one plane.

    PyAV looks for the planes of planar frames up to a null pointer, which there is none of after
    eight: from eight channels on it would read memory that isn't its own.
    """

    def __init__(self) -> None:
        self._resampler: Any = None
        self._kind: tuple[object, ...] = ()

    def samples(self, frame: Any) -> Generator[Any, None, None]:
        """The samples (N, channels) of a frame; only the sample format changes."""
        channels = frame.layout.nb_channels
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:  # a stream can change in its middle
            self._resampler, self._kind = av.AudioResampler(format="flt"), kind
        for part in self._resampler.resample(frame):
            packed = np.asarray(part.to_ndarray(), np.float32).reshape(-1, channels)
            # In the order of planes: sums over channels depend on it in their last bit.
            yield np.asfortranarray(packed)
