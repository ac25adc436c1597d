"""The style "diverse", for training: any program in a random setting.

It draws any of the 128 programs, alone or in a group, in any mode, register and density. The seed
counts through the programs, so that none is missed.
"""

from __future__ import annotations

from random import Random

from recipes.builtin.music.gm import KITS, PROGRAMS, SLOW
from recipes.builtin.music.rhythm import BASS, COMPS, GROOVES
from recipes.builtin.music.styles import Style, StyleLayer
from recipes.builtin.music.theory import DARK, MODES

DIVERSE = "diverse"
CENTRES = (64, 76, 62, 58, 38, 60, 62, 62, 66, 76, 72, 62, 62, 64, 62, 60)
"""Usual MIDI pitch of each family of eight programs."""
SUSTAINED = ("pad", "halves", "hymn", "dreamy")
PROGRESSIONS = (
    "1 5 6 4",
    "1 4 5 1",
    "1 6 3 7",
    "1 7 6 7",
    "1",
    "1 2",
    "1s 4s",
    "1 4 1 5",
    "6 4 1 5",
    "1add9 4M7",
    "1 6 2 5",
)


def diverse(rng: Random, seed: int) -> Style:
    """A random style: the program that the seed counts to plays first."""
    first = seed // 2 % len(PROGRAMS)
    home = CENTRES[first // 8] if first not in {42, 43, 58, 70} else 46

    slow = first in SLOW

    def any_chords(program: int, level: float, enter: int) -> StyleLayer:
        centre = max(45, CENTRES[program // 8] + rng.randint(-5, 5))
        figure = rng.choice(SUSTAINED if program in SLOW else sorted(COMPS))
        return StyleLayer("chords", (program,), figure, centre, level, enter, rng.randint(3, 5))

    busy = rng.random() * (0.2 if slow else 1.0)
    centre, reach = home + rng.randint(-7, 9), rng.randint(7, 14)
    melody = StyleLayer("melody", (first,), "", centre, 0.9, 0, 1, busy, reach)
    low = StyleLayer(
        "bass",
        (rng.choice((32, 33, 34, 35, 36, 38, 39, 43, 58)),),
        rng.choice(sorted(BASS)),
        38,
        0.75,
    )
    other = any_chords(rng.randrange(112), 0.5, rng.randrange(2))
    groups: tuple[tuple[StyleLayer, ...], ...] = (
        (melody,),
        (any_chords(first, 0.85, 0),),
        (melody, any_chords(first, 0.6, 0)),
        (melody, low),
        (melody, other),
        (melody, other, low),
        (melody, other, low, any_chords(rng.choice((48, 50, 52, 89, 91, 95)), 0.4, 1)),
    )
    chosen = rng.choice(groups)
    drummed = rng.random() < (0.2 if len(chosen) == 1 else 0.6)
    tempo = round(50 * (1.8 if slow else 3.8) ** rng.random())
    mode = rng.choice(sorted(MODES))
    feeling = {
        (True, True): ("tense", "dramatic", "dark"),
        (True, False): ("sad", "melancholic", "mysterious"),
        (False, True): ("happy", "energetic", "cheerful"),
        (False, False): ("calm", "tender", "peaceful"),
    }[(mode in DARK, tempo > 105)]
    loose = rng.choice((0.0, 0.008, 0.018))
    return Style(
        DIVERSE, "", (tempo, tempo), (mode,), PROGRESSIONS, chosen, feeling,
        (rng.choice(sorted(GROOVES)),) if drummed else (), tuple(KITS),
        rng.choice(("4/4", "4/4", "4/4", "3/4", "6/8")), rng.choice((0.5, 0.5, 0.62)), 1.0,
        loose, rng.randrange(2),
    )  # fmt: skip
