"""Sliding windows: where they start, how they are batched, and back to one latent a second.

The window of second t is centred on the middle of that second. Where it would extend beyond the
sound it is moved inside, so that no window contains silence that is not in the recording: the
first seconds of a track share a window, and so do the last. A sound shorter than one window is
repeated to fill it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import Cancelled
from gdr_model.search.whitening import unit
from gdr_model.types import Array, Cancel, Samples, never

Fill = Callable[[Array, int], Array]
"""Samples (N,), N below a window's length, and that length to one window (length,)."""
Encode = Callable[[Array, NDArray[np.int64]], Array]
"""A stretch of sound (N,), and where in it each window begins (B,), to vectors (B, D)."""


def seconds(count: int, sample_rate_hz: int) -> int:
    """Number of latents T for this many samples: one a second, at least one."""
    return max(1, round(count / sample_rate_hz))


def repeat(samples: Array, window: int) -> Array:
    """Samples repeated from the start, the last time in part, to the length of one window."""
    return np.resize(samples, window) if len(samples) else np.zeros(window, np.float32)


def repeat_and_pad(samples: Array, window: int) -> Array:
    """As many whole repetitions as fit, then silence."""
    if not len(samples):
        return np.zeros(window, np.float32)
    repeated = np.tile(samples, window // len(samples))
    return np.pad(repeated, (0, window - len(repeated)))


def starts(
    times_s: NDArray[np.int64], count: int, sample_rate_hz: int, window: int
) -> NDArray[np.int64]:
    """First sample of the window of each second, in a sound of at least `window` samples."""
    centred = times_s * sample_rate_hz + (sample_rate_hz - window) // 2
    return np.clip(centred, 0, count - window)


def mirrored(sound: Samples, first: int, last: int) -> Array:
    """Samples `first` to `last` of a sound that is mirrored at both ends."""
    inside = np.asarray(sound[max(first, 0) : min(last, len(sound))], np.float32)
    before, after = max(-first, 0), max(last - len(sound), 0)
    return np.pad(inside, (before, after), mode="reflect") if before or after else inside


def encode_windows(
    samples: Samples,
    sample_rate_hz: int,
    window: int,
    encode: Encode,
    *,
    batch: int,
    hop_s: int = 1,
    margin: int = 0,
    fill: Fill = repeat,
    cancelled: Cancel = never,
) -> Array:
    """Samples (N,) to unit latents (T, D), T = max(1, round(N / sample_rate_hz)).

    Args:
        samples: a whole sound, mono.
        sample_rate_hz: its rate.
        window: samples of a window.
        encode: encodes windows of `window` + 2 `margin` samples, `batch` at most, given the
            stretch of sound that they overlap in.
        batch: windows to encode at once.
        hop_s: above one, only every so many seconds and the last are encoded; those between are
            interpolated linearly and brought to unit length.
        margin: samples to add on either side of each window; at its ends the sound is mirrored.
        fill: how a sound shorter than a window becomes one.
        cancelled: polled between batches.

    Raises:
        Cancelled: when the caller asks to stop.
    """
    count = seconds(len(samples), sample_rate_hz)
    sound = samples
    if len(sound) < window:
        sound = fill(np.asarray(samples[:], np.float32), window)
    times = np.union1d(np.arange(0, count, hop_s), [count - 1])
    first, where = np.unique(starts(times, len(sound), sample_rate_hz, window), return_inverse=True)
    pieces = []
    for begin in range(0, len(first), batch):
        if cancelled():
            raise Cancelled("encoding was stopped")
        these = first[begin : begin + batch]
        stretch = mirrored(sound, int(these[0]) - margin, int(these[-1]) + window + margin)
        pieces.append(encode(stretch, these - these[0]))
    latents = unit(np.concatenate(pieces)[where])  # one for each of `times`
    return latents if len(times) == count else unit(interpolated(latents, times, count))


def interpolated(latents: Array, times_s: NDArray[np.int64], count: int) -> Array:
    """Latents (K, D) at rising times (K,) to `count` latents, one a second, linearly."""
    wanted = np.arange(count)
    after = np.searchsorted(times_s, wanted).clip(1, len(times_s) - 1)
    left, right = times_s[after - 1], times_s[after]
    share = ((wanted - left) / (right - left))[:, None].astype(np.float32)
    return np.asarray((1 - share) * latents[after - 1] + share * latents[after], np.float32)
