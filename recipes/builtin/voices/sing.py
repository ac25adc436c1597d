"""Make speech sing: the spectrum of a spoken word at another pitch and of another length.

The vocoder WORLD (Morise, Yokomori & Ozawa 2016, in the package pyworld) splits a voice into pitch,
spectral envelope and aperiodicity, and joins them again. A sung word keeps its consonants as they
were spoken; its vowel is held until the end of the note, at the note's pitch, with a slide from the
previous note and vibrato.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gdr_model.encoders.builtin.audio import SAMPLE_RATE_HZ
from gdr_model.types import Array
from recipes.builtin.voices.speakers import Speaker

FRAME_MS = 5.0
FRAMES_PER_S = 200


@dataclass(frozen=True)
class SungNote:
    """When a word is sung, for how long and at which MIDI pitch."""

    start_s: float
    length_s: float
    pitch: float


@dataclass(frozen=True)
class Manner:
    """A singer's habits."""

    vibrato_cents: float = 35.0
    vibrato_hz: float = 5.5
    slide_s: float = 0.05
    """Time constant of the slide from the previous note."""
    breath: float = 0.0
    """0 is as spoken, 1 a whisper."""
    formants: float = 1.0
    """Factor on the formants; above 1 is a smaller throat: a woman, a child."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Manner:
        """Random habits: plain, with wide vibrato, breathy, or auto-tuned."""
        kind = rng.random()
        if kind < 0.15:  # auto-tuned: every note exactly, at once
            return cls(0.0, 5.5, 0.004, 0.0, float(rng.uniform(0.95, 1.1)))
        wide = float(rng.uniform(60, 120) if kind > 0.85 else rng.uniform(10, 50))
        breath = float(rng.uniform(0.1, 0.5)) if rng.random() < 0.3 else 0.0
        slide = float(rng.uniform(0.02, 0.09))
        return cls(
            wide, float(rng.uniform(4.8, 6.5)), slide, breath, float(rng.uniform(0.88, 1.14))
        )


@lru_cache(maxsize=8192)
def analysed(speaker: Speaker, word: str) -> tuple[Array, Array, Array]:
    """Analyse a spoken word: pitch in Hz (F,), 0 if unvoiced; envelope, aperiodicity (F, 513)."""
    import pyworld

    sound = speaker.say(word).astype(np.float64)
    pitch, times = pyworld.dio(sound, SAMPLE_RATE_HZ, frame_period=FRAME_MS)
    pitch = pyworld.stonemask(sound, pitch, times, SAMPLE_RATE_HZ)
    envelope = pyworld.cheaptrick(sound, pitch, times, SAMPLE_RATE_HZ)
    aperiodicity = pyworld.d4c(sound, pitch, times, SAMPLE_RATE_HZ)
    return pitch, envelope.astype(np.float32), aperiodicity.astype(np.float16)


def stretched(voiced: np.ndarray[tuple[int], np.dtype[np.bool_]], frames: int) -> Array:
    """Position in a word, in frames, for each of `frames`: the middle of its vowel is held."""
    count = len(voiced)
    if count >= frames:
        return np.linspace(0, count - 1, frames, dtype=np.float32)
    vowel = np.flatnonzero(voiced)
    if len(vowel) > 4:
        first, last = int(vowel[0]), int(vowel[-1])
    else:
        first, last = count // 3, 2 * count // 3
    begin, end = first + (last - first) // 4, last - (last - first) // 4
    held = frames - begin - (count - end)
    middle = np.linspace(begin, max(begin, end - 1), max(1, held))
    joined = np.concatenate([np.arange(begin), middle, np.arange(end, count)])
    return joined[:frames].astype(np.float32)


def with_formants(envelope: Array, factor: float) -> Array:
    """Envelopes (F, bins) with their formants `factor` times as high."""
    bins = np.arange(envelope.shape[1])
    source = np.clip(bins / factor, 0, bins[-1])
    low = source.astype(int)
    share = (source - low).astype(np.float32)
    high = np.minimum(low + 1, bins[-1])
    return np.asarray((1 - share) * envelope[:, low] + share * envelope[:, high])


def sung(
    words: Sequence[str],
    notes: Sequence[SungNote],
    speaker: Speaker,
    manner: Manner,
    length_s: float,
    rng: np.random.Generator,
) -> Array:
    """Sing words on notes: mono samples (N,) at 16 kHz, `length_s` long."""
    import pyworld

    count = round(length_s * FRAMES_PER_S)
    pitch = np.zeros(count)
    envelope = np.full((count, 513), 1e-12)
    aperiodicity = np.ones((count, 513))
    previous = notes[0].pitch if notes else 60.0
    for word, note in zip(words, notes, strict=True):
        first = round(note.start_s * FRAMES_PER_S)
        frames = min(round(note.length_s * FRAMES_PER_S), count - first)
        if frames < 6:
            continue
        spoken, its_envelope, its_aperiodicity = analysed(speaker, word)
        which = np.round(stretched(spoken > 0, frames)).astype(int).clip(0, len(spoken) - 1)
        frames = len(which)
        t = np.arange(frames) / FRAMES_PER_S
        height = note.pitch + (previous - note.pitch) * np.exp(-t / manner.slide_s)
        depth = manner.vibrato_cents / 100 * np.clip((t - 0.15) / 0.3, 0, 1)
        phase = 2 * np.pi * (manner.vibrato_hz * t + rng.random())
        height += depth * np.sin(phase) + 0.03 * np.cumsum(rng.normal(0, 0.1, frames))
        place = slice(first, first + frames)
        hz = 440 * 2 ** ((height - 69) / 12)
        pitch[place] = np.where(spoken[which] > 0, hz, 0)
        envelope[place] = with_formants(its_envelope[which], manner.formants)
        its_aperiodicity = its_aperiodicity[which]
        aperiodicity[place] = its_aperiodicity + manner.breath * (1 - its_aperiodicity)
        previous = note.pitch
    sound = pyworld.synthesize(pitch, envelope, aperiodicity, SAMPLE_RATE_HZ, FRAME_MS)
    return np.resize(sound, round(length_s * SAMPLE_RATE_HZ)).astype(np.float32)
