"""What a voice is laid over: a render that suits it, a piece of free music, or silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

from gdr_model.types import Array
from recipes.builtin.corpus.remix import PIECE_S, excerpt, to_piece
from recipes.builtin.music.theory import KEYS, MODES

RNG = np.random.Generator

FITTING = {
    "rapped": ("trap", "hip", "lo-fi", "funk", "drum", "dub", "techno"),
    "shouted": ("metal", "punk", "rock", "industrial"),
    "choir": ("orchestral", "string", "organ", "ambient", "medieval", "cinematic", "piano"),
    "sung": (
        *("reggae", "soul", "ska", "country", "blues", "ballad", "pop", "rock", "folk", "bossa"),
        *("gospel", "jazz", "disco", "house", "samba", "salsa", "tango", "R&B", "funk", "trance"),
    ),
}
"""Parts of the names of styles that suit a way of singing; other renders are used less often."""


@dataclass(frozen=True)
class Backing:
    """What is sung over: a sound (N,) or none, its beat and its scale."""

    sound: Array | None
    parent: str | None
    genre: str | None
    beat_s: float
    tonic: int
    mode: str


def backing(
    way: str, renders: Sequence[dict[str, Any]], free: Sequence[dict[str, Any]], rng: RNG
) -> Backing:
    """A render (six in ten), a piece of free music (three), or silence (one; never for a rap)."""
    luck = rng.random()
    if luck < 0.1 and way != "rapped":
        mode = ("major", "minor")[int(rng.integers(2))]
        return Backing(None, None, None, 60 / rng.uniform(66, 120), int(rng.integers(12)), mode)
    if luck < 0.4:
        record = free[int(rng.integers(len(free)))]
        sound = excerpt(record, rng, 1.0)
        beat_s = 60 / rng.uniform(72, 132)  # nobody knows its beat or its key
        tonic = int(rng.integers(12))
        return Backing(sound, record["id"], record.get("genre"), beat_s, tonic, "minor")
    return _over_render(way, renders, rng)


def _over_render(way: str, renders: Sequence[dict[str, Any]], rng: RNG) -> Backing:
    """A piece of a render, from the start of a bar, with its true beat and key."""
    marks = FITTING.get(way, ())
    fitting = [r for r in renders if any(mark in r["style"] for mark in marks)]
    pool = fitting if fitting and rng.random() < 0.75 else renders
    record = pool[int(rng.integers(len(pool)))]
    beat_s = 60 / float(record["tempo_bpm"])
    latest_s = max(0.0, float(record["duration_s"]) - PIECE_S - 1)
    start_s = np.floor(latest_s * rng.random() / (4 * beat_s)) * 4 * beat_s
    with soundfile.SoundFile(record["path"]) as file:
        file.seek(int(start_s * file.samplerate))
        sound = file.read(PIECE_S * file.samplerate, dtype="float32", always_2d=True).mean(axis=1)
        sound = to_piece(sound, file.samplerate)
    key = str(record["key"])
    tonic = KEYS.index(key) if key in KEYS else 0
    mode = record["mode"] if record["mode"] in MODES else "major"
    return Backing(sound, record["id"], record.get("genre"), beat_s, tonic, mode)
