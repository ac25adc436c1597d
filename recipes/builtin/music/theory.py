"""Scales, chords and voice leading, in semitones and MIDI pitches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, pairwise

MODES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian dominant": (0, 1, 4, 5, 7, 8, 10),
    "double harmonic": (0, 1, 4, 5, 7, 8, 11),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "pelog": (0, 1, 3, 7, 8),
    "hirajoshi": (0, 2, 3, 7, 8),
}

UNDER: dict[str, str] = {
    "major pentatonic": "major",
    "minor pentatonic": "minor",
    "blues": "mixolydian",
    "pelog": "phrygian",
    "hirajoshi": "minor",
}
"""For modes with fewer than seven notes: the seven-note mode that supplies the chords."""


DARK = frozenset(
    {
        "minor",
        "harmonic minor",
        "phrygian",
        "phrygian dominant",
        "double harmonic",
        "minor pentatonic",
        "hirajoshi",
    }
)

KEYS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

QUALITIES: dict[str, tuple[int, ...]] = {
    "M": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7),
    "dim": (0, 3, 6),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "M7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "d7": (0, 4, 7, 10),
    "h7": (0, 3, 6, 10),
    "o7": (0, 3, 6, 9),
    "add9": (0, 4, 7, 14),
    "M9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14),
    "d9": (0, 4, 7, 10, 14),
}

DIATONIC = {"": 3, "s": 4}
"""Qualities built from the notes of the mode, with their number of notes: triads and sevenths."""


@dataclass(frozen=True)
class Chord:
    """A root and the intervals above it."""

    root: int
    intervals: tuple[int, ...]

    @property
    def classes(self) -> tuple[int, ...]:
        """Pitch classes, root first."""
        return tuple((self.root + interval) % 12 for interval in self.intervals)


def chord(symbol: str, tonic: int, mode: str) -> Chord:
    """Parse a chord symbol: a degree of the mode, then "" (triad), "s" (seventh) or a quality.

    With an accidental in front (b7M, #1o7) the degree is one of the major scale, whatever the mode.

    Raises:
        ValueError: if the symbol is not a chord.

    >>> chord("5d7", 0, "major")
    Chord(root=7, intervals=(0, 4, 7, 10))
    """
    match = re.fullmatch(r"([b#]?)([1-7])(.*)", symbol)
    if match is None:
        raise ValueError(f'"{symbol}" is not a chord: write a degree and a quality, as in 5d7')
    sign, digit, quality = match.groups()
    scale = MODES[UNDER.get(mode, mode)]
    degree = int(digit) - 1
    step = scale[degree] if not sign else MODES["major"][degree] + (1 if sign == "#" else -1)
    root = (tonic + step) % 12
    if quality in QUALITIES:
        return Chord(root, QUALITIES[quality])
    if quality not in DIATONIC:
        raise ValueError(f'"{symbol}" is not a chord: there is no quality "{quality}"')
    size = DIATONIC[quality]
    thirds = [scale[(degree + 2 * k) % 7] + 12 * ((degree + 2 * k) // 7) for k in range(size)]
    return Chord(root, tuple(pitch - thirds[0] for pitch in thirds))


def ladder(tonic: int, mode: str, low: int, high: int) -> list[int]:
    """All pitches of a scale from `low` to `high`."""
    classes = {(tonic + step) % 12 for step in MODES[mode]}
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]


def nearest(classes: tuple[int, ...], pitch: float) -> int:
    """The pitch nearest to `pitch` in any of these pitch classes; of two, the lower."""
    around = range(int(pitch) - 7, int(pitch) + 9)
    return min((p for p in around if p % 12 in classes), key=lambda p: (abs(p - pitch), p))


def lead(
    harmony: Chord, previous: tuple[int, ...] | None, centre: int, size: int
) -> tuple[int, ...]:
    """Voice a chord in `size` parts around `centre`, moving as little as possible from `previous`.

    The third (or the second or fourth in its place) and the seventh are always kept; with too few
    voices, the fifth is dropped first.
    """
    classes = harmony.classes
    keep = set(classes) if len(classes) <= size else {classes[0], classes[1], *classes[3:]}
    pool: list[int] = []
    reach = 10
    # Within ten semitones a triad may have only four notes; five voices need a wider reach.
    while len(pool) < size:
        pool = [p for p in range(centre - reach, centre + reach + 1) if p % 12 in classes]
        reach += 1
    voicings = [
        v
        for v in combinations(pool, size)
        if len(keep - {p % 12 for p in v}) <= max(0, len(keep) - size)
    ]
    anchor = previous if previous is not None and len(previous) == size else None

    def cost(voicing: tuple[int, ...]) -> float:
        spread = sum(1.5 for a, b in pairwise(voicing) if not 3 <= b - a <= 9)
        drift = 0.4 * (abs(sum(voicing) - size * centre) / size)  # exact: equal in every key
        motion = sum(abs(a - b) for a, b in zip(voicing, anchor, strict=True)) if anchor else 0
        return spread + drift + motion

    return min(voicings or combinations(pool, size), key=cost)
