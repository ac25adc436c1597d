"""Prepared tracks of random numbers, and a listener that needs no network."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdr_model.encoders.builtin.audio import FRAMES_PER_S, MELS, SAMPLE_RATE_HZ
from gdr_model.types import Array
from recipes.builtin.corpus.prepare import PreparedTrack

CLASSES, EMBEDDING, TAGS, FEATURES = 521, 1024, 50, 200


def track(name: str, kind: str, seconds: int, seed: int, **known: Any) -> PreparedTrack:
    """A track of noise: mel around -4, logits around -5, those of tags around -3."""
    rng = np.random.default_rng(seed)
    return PreparedTrack(
        {"id": name, "kind": kind, "split": "train", **known},
        rng.normal(-4, 1, (seconds * FRAMES_PER_S, MELS)).astype(np.float16),
        rng.normal(-5, 1, (seconds, CLASSES)).astype(np.float16),
        rng.random((seconds, EMBEDDING)).astype(np.float16),
        rng.normal(-3, 1, (seconds, TAGS)).astype(np.float16),
        rng.random((seconds, FEATURES)).astype(np.float16),
    )


class Bands:
    """A listener: the energy of bands as logits, once a second. `calls` counts the sounds."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, samples: Array) -> dict[str, Array]:
        self.calls += 1
        seconds = len(samples) // SAMPLE_RATE_HZ
        power = np.abs(np.fft.rfft(samples[: seconds * SAMPLE_RATE_HZ].reshape(seconds, -1)))
        wide = power[:, : 8 * EMBEDDING // 2].reshape(seconds, -1)
        embedding = np.log(wide[:, :EMBEDDING] + 1e-6).astype(np.float32)
        return {
            "logits": embedding[:, :CLASSES],
            "embedding": embedding,
            "tag_logits": embedding[:, :TAGS],
            "tag_features": embedding[:, :FEATURES],
        }
