"""Tunes for words: a melody to sing, or the rhythm of a rap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recipes.builtin.corpus.remix import PIECE_S
from recipes.builtin.music.theory import ladder
from recipes.builtin.voices.backing import Backing
from recipes.builtin.voices.sing import SungNote

RNG = np.random.Generator


def melody(
    under: Backing, lines: Sequence[Sequence[str]], centre: float, rng: RNG
) -> list[SungNote]:
    """One note per word: steps along the scale, with a long note at the end of each line."""
    scale = ladder(under.tonic, under.mode, int(centre) - 8, int(centre) + 9)
    rung = len(scale) // 2
    beat = under.beat_s * (2 if under.beat_s < 0.36 else 1)
    unit = beat * float(rng.choice([0.5, 0.5, 1.0]))
    now, notes = beat * float(rng.integers(0, 3)), []
    for words in lines:
        for number, _ in enumerate(words):
            last = number == len(words) - 1
            length = unit * (float(rng.choice([2, 3, 4])) if last else float(rng.choice([1, 1, 2])))
            rung = int(np.clip(rung + rng.choice([-2, -1, -1, 0, 1, 1, 2]), 0, len(scale) - 1))
            notes.append(SungNote(now, 0.94 * length, scale[rung]))
            now += length
        now += beat * float(rng.choice([0, 1, 2]))
    return notes


def rap(under: Backing, lines: Sequence[Sequence[str]], centre: float, rng: RNG) -> list[SungNote]:
    """One note per word: eighths and sixteenths near a pitch that falls within a line."""
    beat = under.beat_s * (2 if under.beat_s < 0.45 else 1)
    now, notes = 0.0, []
    for words in lines:
        for number, _ in enumerate(words):
            length = beat * float(rng.choice([0.25, 0.25, 0.5]))
            fall = 3.0 * number / len(words)
            notes.append(SungNote(now, 0.9 * length, centre + rng.normal(0, 1.5) - fall))
            now += length
        now = np.ceil(now / beat) * beat
    return notes


def within_piece(
    words: Sequence[str], notes: Sequence[SungNote]
) -> tuple[list[str], list[SungNote]]:
    """The words and notes that start before the piece ends."""
    both = [(w, n) for w, n in zip(words, notes, strict=True) if n.start_s < PIECE_S - 0.2]
    return [w for w, _ in both], [n for _, n in both]
