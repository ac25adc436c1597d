"""Words to sing: a small generator of lines, mostly of one syllable a word."""

from __future__ import annotations

import numpy as np

RNG = np.random.Generator

SYLLABLES = [
    "love",
    "light",
    "night",
    "day",
    "sun",
    "moon",
    "rain",
    "road",
    "home",
    "heart",
    "time",
    "dream",
    "fire",
    "blue",
    "gold",
    "wind",
    "star",
    "sky",
    "river",
    "stone",
    "hand",
    "eye",
    "face",
    "name",
    "song",
    "line",
    "door",
    "bell",
    "ship",
    "sea",
    "tree",
    "snow",
    "spring",
    "fall",
    "train",
    "way",
    "town",
    "street",
    "floor",
    "beat",
    "drum",
    "bass",
    "sound",
    "voice",
    "crowd",
    "king",
    "queen",
    "fool",
    "ghost",
    "bird",
    "wolf",
    "rose",
]
LINKS = [
    "I",
    "you",
    "we",
    "she",
    "he",
    "they",
    "my",
    "your",
    "the",
    "a",
    "in",
    "on",
    "for",
    "with",
    "to",
    "from",
    "and",
    "but",
    "so",
    "no",
    "when",
    "where",
]
ACTS = [
    "come",
    "go",
    "run",
    "fall",
    "rise",
    "call",
    "hold",
    "turn",
    "burn",
    "wait",
    "stay",
    "leave",
    "know",
    "feel",
    "want",
    "need",
    "break",
    "sing",
    "dance",
    "move",
    "shine",
    "cry",
    "fly",
]
VOCALISE = ["la", "na", "oh", "ah", "ooh", "hey", "yeah", "da", "doo", "mm"]


def line(rng: RNG, words: int) -> list[str]:
    """A line of some words; now and then nothing but la la la."""
    if rng.random() < 0.12:
        chosen = [VOCALISE[int(i)] for i in rng.integers(len(VOCALISE), size=2)]
        return [chosen[n % 2] for n in range(words)]
    kinds = (LINKS, ACTS, LINKS, SYLLABLES)
    found = []
    for number in range(words):
        pool = kinds[number % 4] if rng.random() < 0.8 else SYLLABLES
        found.append(pool[int(rng.integers(len(pool)))])
    return found


def song(rng: RNG, lines: int, words: int) -> list[list[str]]:
    """Some lines, of which the later ones often repeat the earlier."""
    written: list[list[str]] = []
    for _ in range(lines):
        again = written and rng.random() < 0.35
        written.append(written[int(rng.integers(len(written)))] if again else line(rng, words))
    return written
