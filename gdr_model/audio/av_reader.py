"""Read pieces of any other format with FFmpeg."""

from __future__ import annotations

import ctypes
from collections.abc import Generator, Iterator
from typing import Any

import av
import numpy as np

from gdr_model.audio.formats import AV_OPTIONS
from gdr_model.audio.pieces import Piece
from gdr_model.audio.source import Source
from gdr_model.audio.tags import id3, mp4
from gdr_model.errors import DecodeError
from gdr_model.types import Array

_BUFFER = 1 << 17
_PLANES = 8


def opened(source: Source) -> Any:
    """The container of a file, from where the source begins.

    Raises:
        av.FFmpegError: if FFmpeg does not know the format, or must not read it.
        DecodeError: if FFmpeg refuses what its header announces.
    """
    av.logging.set_level(None)  # FFmpeg's messages would appear in the middle of the screen
    source.seek(0)
    try:
        return av.open(source, options=AV_OPTIONS, metadata_errors="ignore", buffer_size=_BUFFER)
    except MemoryError as error:
        source.check()
        # FFmpeg says so when there are too many streams.
        raise DecodeError("it is not a readable sound file") from error


def skip_harmful_tags(source: Source) -> None:
    """Hide tags that would cost FFmpeg memory or time; for sound they are not needed."""
    if not id3.is_harmless(source):
        source.begin_at(id3.end_of(source))
    source.seek(4)
    if source.read(4) == b"ftyp":
        for at in mp4.excessive(source):
            source.mask(at, b"free")


def pieces(source: Source, start_s: float) -> Generator[Piece, None, float]:
    """Decode what a source holds from `start_s` on; returns its length in seconds if announced."""
    skip_harmful_tags(source)
    with opened(source) as container:
        stream = container.streams.audio[0]
        announced_s = (container.duration or 0) / 1e6
        if start_s:
            container.seek(int(start_s * 1e6))
        floats = _Floats()
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
                rate_hz = frame.sample_rate
                early_s = start_s - (frame.time or 0.0) if start_s else 0.0
                for samples in floats.samples(frame):
                    yield Piece(samples[max(round(early_s * rate_hz), 0) :], rate_hz, announced_s)
        if damage and not sound:
            raise damage
        return announced_s


class _Floats:
    """Converts frames of any sample format to floats.

    PyAV looks for the planes of planar frames up to a null pointer, which there is none of after
    eight: from eight channels on it would read memory that isn't its own, so those are packed
    into one plane.
    """

    def __init__(self) -> None:
        self._resampler = av.AudioResampler(format="fltp")
        self._channels = 0

    def samples(self, frame: av.AudioFrame) -> Iterator[Array]:
        """The samples (N, channels) of a frame; only the sample format changes."""
        channels = frame.layout.nb_channels
        custom = _is_custom(frame.layout)
        if custom:
            _keep(frame.layout)
        if channels != self._channels:
            self._begin(channels)
        try:
            parts = self._resampler.resample(frame)
        except ValueError:  # the stream changed in its middle
            self._begin(channels)
            parts = self._resampler.resample(frame)
        for part in parts:
            if custom:
                _keep(part.layout)
            samples = np.asarray(part.to_ndarray(), np.float32)
            yield samples.T if channels < _PLANES else samples.reshape(-1, channels)

    def _begin(self, channels: int) -> None:
        self._channels = channels
        self._resampler = av.AudioResampler(format="fltp" if channels < _PLANES else "flt")


def _is_custom(layout: av.AudioLayout) -> bool:
    """Whether a layout lists its channels one by one, such as `2 channels (FR+FL)`."""
    return "(" in layout.name


def _keep(layout: av.AudioLayout) -> None:
    """Keep an object until the process ends.

    PyAV up to 19.0 frees the list of channels with the frame, and once more with its layout. The
    object takes less than a hundred bytes, and few files have such a layout.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(layout))
