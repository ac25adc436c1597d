"""Decode a file, to index it or to play it.

Everything is read in blocks of about a second, so that time limits and cancellation are polled
and only the result is held in memory.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
import soxr

from gdr_model.audio.blocks import blocks
from gdr_model.audio.growing import GrowingArray
from gdr_model.audio.pieces import FAILURES
from gdr_model.errors import Cancelled, DecodeError
from gdr_model.types import Array, Audio, Cancel, never

MAX_S = 6 * 3600
"""Longer files are refused: at 48 kHz six hours are 4 GiB, and a crafted file can claim more."""

_LOUDEST = 1e5
"""Samples are clipped to this: far above any sound, and its square fits float32."""


def decode(
    path: Path, sample_rate_hz: int, *, limit_s: float = 120.0, cancelled: Cancel = never
) -> Audio:
    """Decode a file, mix it to mono and resample it.

    Of a truncated file the rest is kept if it is at least a second long. `content` hashes the
    mono mix before resampling, so it does not depend on `sample_rate_hz`.

    Raises:
        DecodeError: with a short sentence that does not repeat the path.
        Cancelled: when asked, between two blocks.
    """
    deadline = time.monotonic() + limit_s
    digest = hashlib.blake2b(digest_size=16)
    out = GrowingArray()
    resampler: Any = None
    rate_hz = channels = frames = 0
    announced_s = 0.0
    broken = False
    source = blocks(path)
    while True:
        if cancelled():
            raise Cancelled("stopped")
        if time.monotonic() > deadline:
            raise DecodeError(f"decoding took longer than {limit_s:g} s")
        try:
            block = next(source, None)
        except FAILURES as error:
            if not frames:
                raise _refusal(error) from error
            block, broken = None, True
        if block is None:
            break
        if resampler is None:
            rate_hz, channels, announced_s = block.rate_hz, block.samples.shape[1], block[2]
            if not 1000 <= rate_hz <= 1_000_000:
                raise DecodeError(f"its sample rate of {rate_hz:,} Hz is implausible")
            resampler = soxr.ResampleStream(rate_hz, sample_rate_hz, 1, dtype="float32")
            digest.update(rate_hz.to_bytes(4, "little"))
        mono = np.ascontiguousarray(_clean(block.samples).mean(axis=1, dtype=np.float32))
        frames += len(mono)
        if frames > MAX_S * rate_hz:
            raise DecodeError(f"it is longer than {MAX_S // 3600} hours")
        digest.update(mono.data)
        out.append(resampler.resample_chunk(mono))
    if not frames:
        raise DecodeError("it holds no sound")
    if frames < rate_hz and (broken or announced_s > 2):
        raise DecodeError(f"it breaks off after {frames / rate_hz:.1f} s")
    out.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    # Sound shorter than one sample at the new rate becomes one sample.
    samples = out.finished() if out.size else np.zeros(1, np.float32)
    return Audio(samples, sample_rate_hz, digest.hexdigest(), channels)


def load_for_playback(
    path: Path, sample_rate_hz: int, *, start_s: float = 0.0, length_s: float | None = None
) -> Array:
    """Decode a file, or `length_s` of it from `start_s` on, to stereo (N, 2).

    Mono goes to both sides; more than two channels are averaged to both.

    Raises:
        DecodeError: with a short sentence that does not repeat the path.
    """
    out = GrowingArray()
    resampler: Any = None
    frames = 0
    try:
        for block in blocks(path, start_s):
            if resampler is None:
                resampler = soxr.ResampleStream(block.rate_hz, sample_rate_hz, 2, dtype="float32")
            stereo = _clean(block.samples)
            if stereo.shape[1] != 2:
                stereo = np.repeat(stereo.mean(axis=1, keepdims=True, dtype=np.float32), 2, axis=1)
            if length_s is not None:
                stereo = stereo[: max(0, round(length_s * block.rate_hz) - frames)]
            if not len(stereo) or frames > MAX_S * block.rate_hz:
                break
            frames += len(stereo)
            out.append(resampler.resample_chunk(np.ascontiguousarray(stereo)))
    except FAILURES as error:
        if not frames:
            raise _refusal(error) from error
    if not frames:
        raise DecodeError("there is no sound to play here")
    out.append(resampler.resample_chunk(np.zeros((0, 2), np.float32), last=True))
    return out.finished().reshape(-1, 2)


def _refusal(error: BaseException) -> DecodeError:
    """The reason for a failure in words a user can act on."""
    if isinstance(error, PermissionError):
        return DecodeError("permission to read it is denied")
    if isinstance(error, FileNotFoundError):
        return DecodeError("it no longer exists")
    if isinstance(error, av.FFmpegError | soundfile.SoundFileError | IndexError):
        return DecodeError("it is not a readable sound file")
    if isinstance(error, OSError) and error.strerror:
        return DecodeError(f"it cannot be read: {error.strerror.lower()}")
    return DecodeError(f"it cannot be decoded: {type(error).__name__}")


def _clean(samples: Array) -> Array:
    """Replace NaN and infinity, which would spread from one bad float WAV to every mean."""
    if np.isfinite(samples.sum(dtype=np.float64)):
        return np.clip(samples, -_LOUDEST, _LOUDEST)
    finite = np.where(np.isfinite(samples), samples, 0)
    return np.clip(finite, -_LOUDEST, _LOUDEST).astype(np.float32)
