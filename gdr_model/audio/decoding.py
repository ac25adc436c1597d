"""Decode a file, to index it or to play it.

Everything is read in blocks of about a second, so that time limits and cancellation are polled
and only the result is held in memory; of a long file not even that (see `LongSound`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gdr_model.audio.held import LIMIT, GrowingArray, Held
from gdr_model.audio.long_sound import LongSound
from gdr_model.audio.mixing import Reading, clean, mono, resampled
from gdr_model.audio.source import Source
from gdr_model.errors import DecodeError
from gdr_model.types import Array, Audio, Cancel, Samples, never

MAX_S = 100 * 3600
"""Longer files are refused: the latents of these take 180 MB."""

UNWARRANTED = 1 << 26
"""Samples: more than these (an hour and ten minutes at 16 kHz) need bytes on the disk that warrant
them. A file of half a megabyte can hold hours of silence, one with a hole in it years, and its
header is not to be believed."""

LEAST_BYTES_PER_S = 500
"""What warrants a second of sound: 4 kbit/s, half of what the thriftiest codecs for speech use."""

_CANCELS = 0.02
"""A mix with less than this share of the power that unrelated channels would give it is not a mix
of them: the channels are opposite. Stereo channels would have to correlate by -0.98."""


def decode(
    path: Path,
    sample_rate_hz: int,
    *,
    limit_s: float = 120.0,
    cancelled: Cancel = never,
    most: int = LIMIT,
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
        most: samples to hold; of a longer file they are a `LongSound`.

    Raises:
        DecodeError: with a short sentence that does not repeat the path.
        FileUnavailable: if the system could not read the file, which says nothing about it.
        Cancelled: when asked.
    """
    with Source(path, limit_s, cancelled) as source:
        channel: int | None = None
        held = Held(sample_rate_hz, most)
        one = _Pass(source, sample_rate_hz, channel)
        one.all(held)
        if one.cancel():
            held = Held(sample_rate_hz, most)
            channel = int(one.powers.argmax())
            one = _Pass(source, sample_rate_hz, channel)
            one.all(held)
    samples: Samples | None = held.finished()
    if samples is None:
        samples = LongSound(
            path, sample_rate_hz, channel, held.size, held.energies, limit_s, cancelled
        )
    elif not len(samples):  # sound shorter than one sample at the new rate becomes one sample
        samples = np.zeros(1, np.float32)
    return Audio(samples, sample_rate_hz, one.content, one.channels)


class _Pass:
    """One pass over a file, as the mean of its channels or as one of them."""

    def __init__(self, source: Source, sample_rate_hz: int, channel: int | None) -> None:
        self._source = source
        self._sample_rate_hz = sample_rate_hz
        self._channel = channel
        self._digest = hashlib.blake2b(digest_size=16)
        self._mix = 0.0
        self.channels = 0
        """Of the first block."""
        self.powers = np.zeros(1)  # (channels,) sums of squares

    @property
    def content(self) -> str:
        """The hash of what was decoded."""
        return self._digest.hexdigest()

    def cancel(self) -> bool:
        """Whether little of the channels is left in their mix."""
        return self._mix * len(self.powers) < _CANCELS * float(self.powers.mean())

    def all(self, held: Held) -> None:
        """Decode everything, and give it resampled to `held`."""
        for block in resampled(self._blocks(), self._sample_rate_hz, 1):
            held.append(block)

    def _blocks(self) -> Iterator[tuple[Array, int]]:
        rate_hz = 0
        seconds = announced_s = 0.0
        reading = Reading(self._source)
        for block in reading:
            if block.rate_hz != rate_hz:
                rate_hz = block.rate_hz
                self._digest.update(rate_hz.to_bytes(4, "little"))
            samples = clean(block.samples)
            if not self.channels:
                self.channels, announced_s = samples.shape[1], block.announced_s
                self.powers = np.zeros(self.channels)
            mixed = mono(samples, self._channel)
            seconds += len(mixed) / rate_hz
            _refuse_too_long(seconds, self._sample_rate_hz, self._source.stored)
            self._digest.update(mixed.data)
            yield mixed, rate_hz
            if samples.shape[1] == self.channels > 1:
                self._mix += float(np.dot(mixed, mixed))
                self.powers += [float(np.dot(one, one)) for one in samples.T]
        if not seconds:
            raise DecodeError("it holds no sound")
        if seconds < 1 and (reading.broken or announced_s > 2):
            raise DecodeError(f"it breaks off after {seconds:.1f} s")


def load_for_playback(
    path: Path, sample_rate_hz: int, *, start_s: float = 0.0, length_s: float | None = None
) -> Array:
    """Decode a file, or `length_s` of it from `start_s` on, to stereo (N, 2).

    Mono goes to both sides; more than two channels are averaged to both.

    Raises:
        DecodeError: with a short sentence that does not repeat the path.
        FileUnavailable: if the system could not read the file.
    """
    samples = GrowingArray()
    with Source(path) as source:
        stretch = _stereo(source, sample_rate_hz, start_s, length_s)
        for block in resampled(stretch, sample_rate_hz, 2):
            samples.append(block)
    return samples.finished().reshape(-1, 2)


def _stereo(
    source: Source, sample_rate_hz: int, start_s: float, length_s: float | None
) -> Iterator[tuple[Array, int]]:
    """Blocks (N, 2) of a stretch, and their rates."""
    seconds = 0.0
    for block in Reading(source, start_s):
        stereo = clean(block.samples)
        if stereo.shape[1] != 2:
            stereo = np.repeat(stereo.mean(axis=1, keepdims=True, dtype=np.float32), 2, axis=1)
        if length_s is not None:
            stereo = stereo[: max(0, round((length_s - seconds) * block.rate_hz))]
        if not len(stereo):
            break
        seconds += len(stereo) / block.rate_hz
        _refuse_too_long(seconds, sample_rate_hz, source.stored)
        yield np.ascontiguousarray(stereo), block.rate_hz
    if not seconds:
        raise DecodeError("there is no sound to play here")


def _refuse_too_long(seconds: float, sample_rate_hz: int, size: int) -> None:
    if seconds > MAX_S:
        raise DecodeError(f"it is longer than {MAX_S // 3600} hours")
    if seconds > UNWARRANTED / sample_rate_hz + size / LEAST_BYTES_PER_S:
        raise DecodeError(f"it unpacks {size / 1e6:,.1f} MB to {seconds / 3600:.1f} hours and more")
