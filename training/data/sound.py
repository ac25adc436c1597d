"""Sound for an extraction: decode files ahead, and cut out what a caption describes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from gdr_model.audio import decode
from gdr_model.errors import Cancelled, DecodeError
from gdr_model.types import Array, Audio, Cancel, never


def decoded_ahead(
    paths: Sequence[Path], sample_rate_hz: int, threads: int, cancelled: Cancel = never
) -> Generator[Audio | DecodeError, None, None]:
    """The sound of each file in order, or why it has none; at most `threads` + 1 wait.

    Raises:
        Cancelled: when asked.
    """
    stop = threading.Event()
    pool = ThreadPoolExecutor(threads, "gdr-decode")
    todo, ahead = deque(paths), deque[Future[Audio]]()
    try:
        while todo or ahead:
            while todo and len(ahead) <= threads:
                path = todo.popleft()
                ahead.append(pool.submit(decode, path, sample_rate_hz, cancelled=stop.is_set))
            future = ahead.popleft()
            while not wait([future], timeout=0.1).done:
                if cancelled():
                    raise Cancelled("stopped; the shards done so far are kept")
            error = future.exception()
            if error is not None and not isinstance(error, DecodeError):
                raise error
            yield error or future.result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def stretch(sound: Audio, start_s: float | None, end_s: float | None) -> Array:
    """The samples (N,) from `start_s` to `end_s`.

    Datasets name times in the recording, but their files often hold the stretch alone: a file
    that is not a second longer than the stretch is taken whole.

    Raises:
        DecodeError: if the file ends before the stretch begins.
    """
    start = start_s or 0.0
    if end_s is not None and sound.duration_s < end_s - start + 1:
        return sound.samples[:]
    rate_hz = sound.sample_rate_hz
    first = round(start * rate_hz)
    last = len(sound.samples) if end_s is None else round(end_s * rate_hz)
    if first >= len(sound.samples):
        raise DecodeError(f"it ends at {sound.duration_s:.1f} s, before {start:g} s")
    return sound.samples[first:last]
