"""What is asked of a file, and what comes back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from gdr_model.audio import Tags, decode, read_tags
from gdr_model.audio.held import LIMIT
from gdr_model.errors import DecodeError
from gdr_model.store.records import Sound
from gdr_model.types import Array, Audio, Cancel, Samples, never

SILENCE_DB = -120.0
"""The loudness stored for digital silence, 30 dB below the smallest step of 16 bits."""

Wanted = Callable[[str], bool]
"""Whether the latents of a content are wanted; can be sent to another machine, as it is then."""


class Task(NamedTuple):
    """A file to read."""

    path: Path
    decode: bool
    """Decode it; otherwise only its tags are read."""
    tags: bool = True
    """Read its tags; they are empty otherwise."""
    address: str | None = None
    """Where to fetch it, if it is not on this machine."""


class Found(NamedTuple):
    """What a file holds."""

    tags: Tags
    sound: Sound | None = None
    """None if it was not decoded."""
    samples: Samples | None = None
    """None if `latents` are there, or nobody wants them."""
    latents: Array | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a task."""

    found: Found | None = None
    error: Exception | None = None

    def result(self) -> Found:
        """What was found.

        Raises:
            DecodeError: if the file holds no sound that can be decoded.
            FileUnavailable: if the system could not read it.
        """
        if self.error is not None or self.found is None:
            raise self.error or DecodeError("nothing was read")
        return self.found


def size(outcome: Outcome) -> int:
    """Bytes of sound and latents in an outcome."""
    found = outcome.found
    arrays = (found.samples, found.latents) if found else ()
    return sum(getattr(each, "nbytes", 0) for each in arrays)


class Engine(Protocol):
    """Reads files."""

    def read(
        self,
        tasks: Sequence[Task],
        sample_rate_hz: int,
        wanted: Wanted,
        cancelled: Cancel = never,
    ) -> Iterator[Outcome]:
        """The outcomes of tasks, in their order.

        Args:
            tasks: what to read.
            sample_rate_hz: the rate at which the encoder reads.
            wanted: asked about every sound before it is encoded.
            cancelled: polled several times a second; while it blocks, work pauses.

        Raises:
            Cancelled: when asked.
        """


class Processes(Engine, Protocol):
    """An engine that starts processes, and ends them when it is left."""

    def __enter__(self) -> Self:
        """Start nothing yet."""

    def __exit__(self, *error: Any) -> None:
        """End them."""


def read(task: Task, sample_rate_hz: int, cancelled: Cancel = never, most: int = LIMIT) -> Found:
    """Read the tags of a file and decode it, holding `most` samples.

    Raises:
        DecodeError: if it holds no sound that can be decoded.
        FileUnavailable: if the system could not read it.
        Cancelled: when asked.
    """
    tags = read_tags(task.path) if task.tags else Tags()
    if not task.decode:
        return Found(tags)
    audio = decode(task.path, sample_rate_hz, cancelled=cancelled, most=most)
    return Found(tags, _sound(audio), audio.samples)


def _sound(audio: Audio) -> Sound:
    samples, count = audio.samples, len(audio.samples)
    if isinstance(samples, np.ndarray):
        energy = float(np.dot(samples, samples))
    else:
        energy = samples.energy(count)
    loudness_db = 10 * math.log10(energy / count) if energy > 0 else SILENCE_DB
    return Sound(audio.content, audio.duration_s, max(loudness_db, SILENCE_DB))
