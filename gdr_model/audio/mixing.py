"""What comes out of a file, block by block: cleaned, mixed to mono, resampled to one rate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import av
import numpy as np
import soundfile
import soxr

from gdr_model.audio.blocks import blocks
from gdr_model.audio.pieces import FAILURES, Piece
from gdr_model.audio.source import Source
from gdr_model.errors import DecodeError, FileUnavailable
from gdr_model.types import Array

_LOUDEST = 1e5
"""Samples are clipped to this: far above any sound, and its square fits float32."""


class Reading:
    """The blocks of a file, up to where it is damaged."""

    def __init__(self, source: Source, start_s: float = 0.0) -> None:
        self._source = source
        self._start_s = start_s
        self.broken = False
        """Whether damage ended it."""

    def __iter__(self) -> Iterator[Piece]:
        """Decode block after block.

        Raises:
            DecodeError: if there is no sound at all, or none comes for too long.
            FileUnavailable: if the system could not read the file, even if only its end.
            Cancelled: when asked.
        """
        source = blocks(self._source, self._start_s)
        sound = False
        while True:
            try:
                block = next(source, None)
            except MemoryError as error:
                raise FileUnavailable("there is too little memory to decode it") from error
            except FAILURES as error:
                self._source.check()
                if not sound:
                    raise _refusal(error) from error
                block, self.broken = None, True
            self._source.check()
            if block is None:
                return
            if not 1000 <= block.rate_hz <= 1_000_000:
                raise DecodeError(f"its sample rate of {block.rate_hz:,} Hz is implausible")
            sound = True
            yield block
            self._source.progress()


def resampled(
    blocks: Iterable[tuple[Array, int]], sample_rate_hz: int, channels: int
) -> Iterator[Array]:
    """Blocks, (N,) or (N, channels), and their rates to blocks of one rate."""
    before_hz = 0
    stream: Any = None
    nothing = np.zeros((0, channels) if channels > 1 else 0, np.float32)
    for samples, rate_hz in blocks:
        if rate_hz != before_hz:
            if stream is not None:
                yield stream.resample_chunk(nothing, last=True)
            before_hz = rate_hz
            stream = soxr.ResampleStream(rate_hz, sample_rate_hz, channels, dtype="float32")
        yield stream.resample_chunk(samples)
    if stream is not None:
        yield stream.resample_chunk(nothing, last=True)


def _refusal(error: BaseException) -> DecodeError:
    """The reason for a failure in words a user can act on."""
    if isinstance(error, av.FFmpegError | soundfile.SoundFileError | IndexError):
        return DecodeError("it is not a readable sound file")
    return DecodeError(f"it cannot be decoded: {type(error).__name__}")


def mono(samples: Array, channel: int | None) -> Array:
    """The mean of the channels (N,), or one of them."""
    if channel is None and samples.shape[1] == 2:
        # Ten times as fast as `mean`, to the same bits: a mean of negative zeros is a positive one.
        return (samples[:, 0] + samples[:, 1]) / np.float32(2) + np.float32(0)
    if channel is None:
        return np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
    return np.ascontiguousarray(samples[:, min(channel, samples.shape[1] - 1)])


def clean(samples: Array) -> Array:
    """Replace NaN and infinity, which would spread from one bad float WAV to every mean."""
    if np.isfinite(samples.sum(dtype=np.float64)):
        return np.clip(samples, -_LOUDEST, _LOUDEST)
    finite = np.where(np.isfinite(samples), samples, 0)
    return np.clip(finite, -_LOUDEST, _LOUDEST).astype(np.float32)
