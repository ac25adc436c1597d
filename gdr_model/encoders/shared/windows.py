"""Encoders that read one window at a time: which windows, in what batches, and the way back.

The window of second t is centred on the middle of that second. Where it would reach beyond the
sound it is moved inside, so that no window reads silence that nobody recorded: the first and
the last seconds of a track share a window. A sound shorter than one window is repeated from its
start until the window is full.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import Cancelled
from gdr_model.search.whitening import unit
from gdr_model.types import Array, Cancel, never


def seconds(count: int, sample_rate_hz: int) -> int:
    """How many latents T a sound of so many samples has: one a second, at least one."""
    return max(1, round(count / sample_rate_hz))


def filled(samples: Array, window: int) -> Array:
    """Samples (N,), repeated to the length of one window if they are shorter."""
    if len(samples) >= window:
        return samples
    return np.resize(samples, window) if len(samples) else np.zeros(window, np.float32)


def starts(
    times_s: NDArray[np.int64], count: int, sample_rate_hz: int, window: int
) -> NDArray[np.int64]:
    """First sample of the window of each second, in a sound of at least `window` samples."""
    centred = times_s * sample_rate_hz + (sample_rate_hz - window) // 2
    return np.clip(centred, 0, count - window)


def encode_windows(
    samples: Array,
    sample_rate_hz: int,
    window: int,
    encode: Callable[[Array], Array],
    *,
    batch: int,
    hop_s: int = 1,
    margin: int = 0,
    cancelled: Cancel = never,
) -> Array:
    """Samples (N,) to unit latents (T, D), T = max(1, round(N / sample_rate_hz)).

    `encode` takes windows (B, window), B at most `batch`, to vectors (B, D). With a `margin` it
    is given as many samples more on either side; at its ends the sound is reflected. With
    `hop_s` above one, only every so many seconds (and the last) are encoded; those between are
    interpolated on the straight line and brought to unit length.

    Raises:
        Cancelled: between batches, when asked.
    """
    count = seconds(len(samples), sample_rate_hz)
    sound = filled(np.asarray(samples, np.float32), window)
    times = np.union1d(np.arange(0, count, hop_s), [count - 1])
    first, where = np.unique(starts(times, len(sound), sample_rate_hz, window), return_inverse=True)
    wider = np.pad(sound, margin, mode="reflect") if margin else sound
    views = np.lib.stride_tricks.sliding_window_view(wider, window + 2 * margin)
    pieces = []
    for at in range(0, len(first), batch):
        if cancelled():
            raise Cancelled("encoding was stopped")
        pieces.append(encode(views[first[at : at + batch]]))
    latents = unit(np.concatenate(pieces)[where])  # one for each of `times`
    return latents if len(times) == count else unit(between(latents, times, count))


def between(latents: Array, times_s: NDArray[np.int64], count: int) -> Array:
    """Latents (K, D) of rising times (K,) to `count` latents, one a second, on straight lines."""
    wanted = np.arange(count)
    after = np.searchsorted(times_s, wanted).clip(1, len(times_s) - 1)
    left, right = times_s[after - 1], times_s[after]
    share = ((wanted - left) / (right - left))[:, None].astype(np.float32)
    return np.asarray((1 - share) * latents[after - 1] + share * latents[after], np.float32)
