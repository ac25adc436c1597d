"""Generate words to sing: lines of words that mostly have one syllable."""

from __future__ import annotations

import numpy as np

RNG = np.random.Generator

NOUNS = [
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
VERBS = [
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
    """One line of `words` words; about one in eight is nothing but la la la."""
    if rng.random() < 0.12:
        sounds = [VOCALISE[int(i)] for i in rng.integers(len(VOCALISE), size=2)]
        return [sounds[n % 2] for n in range(words)]
    kinds = (LINKS, VERBS, LINKS, NOUNS)
    written = []
    for number in range(words):
        pool = kinds[number % 4] if rng.random() < 0.8 else NOUNS
        written.append(pool[int(rng.integers(len(pool)))])
    return written


def song(rng: RNG, lines: int, words: int) -> list[list[str]]:
    """Several lines; later ones often repeat an earlier one."""
    written: list[list[str]] = []
    for _ in range(lines):
        repeated = written and rng.random() < 0.35
        written.append(written[int(rng.integers(len(written)))] if repeated else line(rng, words))
    return written
