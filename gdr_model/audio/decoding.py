"""Decode a file, to index it or to play it.

Everything is read in blocks of about a second, so that time limits and cancellation are polled
and only the result is held in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from gdr_model.audio.blocks import blocks
from gdr_model.audio.pieces import FAILURES, Piece
from gdr_model.audio.room import GrowingArray, Share
from gdr_model.audio.source import Source
from gdr_model.errors import DecodeError, FileUnavailable
from gdr_model.types import Array, Audio, Cancel, never

MAX_S = 6 * 3600
"""Longer files are refused: at 48 kHz six hours are 4 GiB."""

UNWARRANTED = 1 << 26
"""Samples: more than these (an hour and ten minutes at 16 kHz) need bytes in the file that warrant
them. A file of half a megabyte can hold hours of silence, and its header is not to be believed."""

LEAST_BYTES_PER_S = 500
"""What warrants a second of sound: 4 kbit/s, half of what the thriftiest codecs for speech use."""

_LOUDEST = 1e5
"""Samples are clipped to this: far above any sound, and its square fits float32."""

_CANCELS = 0.02
"""A mix with less than this share of the power that unrelated channels would give it is not a mix
of them: the channels are opposite. Stereo channels would have to correlate by -0.98."""


def decode(
    path: Path,
    sample_rate_hz: int,
    *,
    limit_s: float = 120.0,
    cancelled: Cancel = never,
    share: Share | None = None,
) -> Audio:
    """Decode a file, mix it to mono and resample it.

    Of a damaged or truncated file the rest is kept if it is at least a second long; what the
    system could not read is not. `content` hashes the mono mix before resampling, so it does not
    depend on `sample_rate_hz`. Where the mix cancels, the strongest channel is taken instead, and
    it is what is hashed.

    Args:
        path: the file.
        sample_rate_hz: the rate to resample to.
        limit_s: seconds without a block of sound after which the file is refused. Time that the
            system takes to read counts only if a single read takes that long.
        cancelled: polled between two blocks and whenever the file is read.
        share: where to ask for memory; the caller releases it when the sound is no longer needed.

    Raises:
        DecodeError: with a short sentence that does not repeat the path.
        FileUnavailable: if the system could not read the file, which says nothing about it.
        Cancelled: when asked.
    """
    with Source(path, limit_s, cancelled) as source:
        out = GrowingArray(share, cancelled)
        try:
            audio, powers = _decode(source, sample_rate_hz, out)
            if powers.cancel():
                del audio
                out.discard()
                out = GrowingArray(share, cancelled)
                source.progress()  # waiting for room is not the file's fault
                audio, _ = _decode(source, sample_rate_hz, out, int(powers.channels.argmax()))
        except BaseException:
            out.discard()
            raise
        return audio


class _Powers(NamedTuple):
    """Sums of squares over a whole file."""

    mix: float
    channels: NDArray[np.float64]  # (channels,)

    def cancel(self) -> bool:
        """Whether little of the channels is left in their mix."""
        return self.mix * len(self.channels) < _CANCELS * float(self.channels.mean())


def _decode(
    source: Source, sample_rate_hz: int, out: GrowingArray, channel: int | None = None
) -> tuple[Audio, _Powers]:
    """Decode a file to the mean of its channels, or to one of them."""
    digest = hashlib.blake2b(digest_size=16)
    resampling = _Resampling(sample_rate_hz, 1, out)
    frames = rate_hz = channels = 0
    seconds = announced_s = mix = 0.0
    powers = np.zeros(1)
    reading = _Reading(source)
    for block in reading:
        if block.rate_hz != rate_hz:
            rate_hz = block.rate_hz
            digest.update(rate_hz.to_bytes(4, "little"))
        samples = _clean(block.samples)
        if not frames:
            channels, announced_s = samples.shape[1], block.announced_s
            powers = np.zeros(channels)
        mono = _mono(samples, channel)
        frames += len(mono)
        seconds += len(mono) / rate_hz
        _refuse_too_long(seconds, sample_rate_hz, source.size)
        digest.update(mono.data)
        resampling.add(mono, rate_hz)
        if samples.shape[1] == channels > 1:
            mix += float(np.dot(mono, mono))
            powers += [float(np.dot(one, one)) for one in samples.T]
    if not frames:
        raise DecodeError("it holds no sound")
    if seconds < 1 and (reading.broken or announced_s > 2):
        raise DecodeError(f"it breaks off after {seconds:.1f} s")
    # Sound shorter than one sample at the new rate becomes one sample.
    samples = resampling.finished()
    samples = samples if len(samples) else np.zeros(1, np.float32)
    return Audio(samples, sample_rate_hz, digest.hexdigest(), channels), _Powers(mix, powers)


def load_for_playback(
    path: Path, sample_rate_hz: int, *, start_s: float = 0.0, length_s: float | None = None
) -> Array:
    """Decode a file, or `length_s` of it from `start_s` on, to stereo (N, 2).

    Mono goes to both sides; more than two channels are averaged to both.

    Raises:
        DecodeError: with a short sentence that does not repeat the path.
        FileUnavailable: if the system could not read the file.
    """
    resampling = _Resampling(sample_rate_hz, 2, GrowingArray())
    seconds = 0.0
    with Source(path) as source:
        for block in _Reading(source, start_s):
            stereo = _clean(block.samples)
            if stereo.shape[1] != 2:
                stereo = np.repeat(stereo.mean(axis=1, keepdims=True, dtype=np.float32), 2, axis=1)
            if length_s is not None:
                stereo = stereo[: max(0, round((length_s - seconds) * block.rate_hz))]
            if not len(stereo):
                break
            seconds += len(stereo) / block.rate_hz
            _refuse_too_long(seconds, sample_rate_hz, source.size)
            resampling.add(np.ascontiguousarray(stereo), block.rate_hz)
    if not seconds:
        raise DecodeError("there is no sound to play here")
    return resampling.finished().reshape(-1, 2)


class _Reading:
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


class _Resampling:
    """Resamples blocks to one rate, whatever theirs are."""

    def __init__(self, sample_rate_hz: int, channels: int, out: GrowingArray) -> None:
        self._sample_rate_hz = sample_rate_hz
        self._channels = channels
        self._out = out
        self._rate_hz = 0
        self._stream: Any = None

    def add(self, samples: Array, rate_hz: int) -> None:
        """Resample some samples, (N,) or (N, channels)."""
        if rate_hz != self._rate_hz:
            self._end()
            self._rate_hz = rate_hz
            self._stream = soxr.ResampleStream(
                rate_hz, self._sample_rate_hz, self._channels, dtype="float32"
            )
        self._out.append(self._stream.resample_chunk(samples))

    def finished(self) -> Array:
        """All of it, flattened."""
        self._end()
        return self._out.finished()

    def _end(self) -> None:
        if self._stream is not None:
            nothing = np.zeros((0, self._channels) if self._channels > 1 else 0, np.float32)
            self._out.append(self._stream.resample_chunk(nothing, last=True))


def _refuse_too_long(seconds: float, sample_rate_hz: int, size: int) -> None:
    if seconds > MAX_S:
        raise DecodeError(f"it is longer than {MAX_S // 3600} hours")
    if seconds > UNWARRANTED / sample_rate_hz + size / LEAST_BYTES_PER_S:
        raise DecodeError(f"it unpacks {size / 1e6:,.1f} MB to {seconds / 3600:.1f} hours and more")


def _refusal(error: BaseException) -> DecodeError:
    """The reason for a failure in words a user can act on."""
    if isinstance(error, av.FFmpegError | soundfile.SoundFileError | IndexError):
        return DecodeError("it is not a readable sound file")
    return DecodeError(f"it cannot be decoded: {type(error).__name__}")


def _mono(samples: Array, channel: int | None) -> Array:
    """The mean of the channels (N,), or one of them."""
    if channel is None and samples.shape[1] == 2:
        # Ten times as fast as `mean`, to the same bits: a mean of negative zeros is a positive one.
        return (samples[:, 0] + samples[:, 1]) / np.float32(2) + np.float32(0)
    if channel is None:
        return np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
    return np.ascontiguousarray(samples[:, min(channel, samples.shape[1] - 1)])


def _clean(samples: Array) -> Array:
    """Replace NaN and infinity, which would spread from one bad float WAV to every mean."""
    if np.isfinite(samples.sum(dtype=np.float64)):
        return np.clip(samples, -_LOUDEST, _LOUDEST)
    finite = np.where(np.isfinite(samples), samples, 0)
    return np.clip(finite, -_LOUDEST, _LOUDEST).astype(np.float32)
