"""A simulated person who has a track in mind, and knows it by ear and in a few words.

This file is all that the person does. A person cannot see scores, latents or the library, only
what a listener has: words that fit the track in mind, and for every result that is listened to, how
alike it sounds, which is heard with noise by an ear that is not gdr's (`world`). The first look is
at the results for one word. After each look that does not show the track, a person

    word      types one more word that fits the track,
    nearest   points out the result that sounds nearest, of these and the nearest two so far,
    second    and then the next nearest of the others,
    third     and of those left the next,
    passed    leaves the result that sounds farthest soon,
    finished  plays the nearest to its end,
    like      likes the nearest,
    ban       bans the farthest,
    negative  pushes away a word that fits the farthest result and not the track in mind,
    slider    moves along the newest word,
    reroll    rolls again,
    edit      edits the nearest so far towards the words,

as far as these moves are among those that the person makes. Results that have been seen are passed
over: every look is at new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

NOISE = 0.05
"""Deviation of what is heard, in cosines of the ear; two tracks at random differ by .25 or so."""
REMEMBERED = 2
"""Results seen before that new ones are compared with."""
MOST_WORDS = 8
"""Words that a person finds for a track."""


class Move(StrEnum):
    """What a person can do after a look."""

    WORD = "word"
    NEAREST = "nearest"
    SECOND = "second"
    THIRD = "third"
    PASSED = "passed"
    FINISHED = "finished"
    LIKE = "like"
    BAN = "ban"
    NEGATIVE = "negative"
    SLIDER = "slider"
    REROLL = "reroll"
    EDIT = "edit"


@dataclass(frozen=True)
class Look:
    """What a person thinks of the results that were shown."""

    shown: tuple[int, ...]
    order: tuple[int, ...]
    """They and the nearest seen before, as alike as they sound to the track, nearest first."""


@dataclass
class Person:
    """One person looking for one track."""

    words: Sequence[str]
    """That fit the track, in the order in which they come to mind."""
    sounds_like: Callable[[int], float]
    """How alike a result sounds to the track in mind."""
    fits: Callable[[int], Sequence[str]]
    """Words that fit a result, as a listener would say."""
    rng: np.random.Generator
    moves: frozenset[Move]
    said: int = 1
    """How many of the words have been typed."""
    looks: list[Look] = field(default_factory=list)
    nearest: int | None = None
    """The nearest result so far."""
    negatives: list[str] = field(default_factory=list)
    _remembered: dict[int, float] = field(default_factory=dict)
    """How alike the results so far sounded, the nearest ones."""

    @property
    def typed(self) -> list[str]:
        """The words in the prompt; a person who finds none asks for music."""
        return list(self.words[: self.said]) or ["music"]

    def look(self, shown: Sequence[int]) -> None:
        """Listen to results that are not the track in mind, and make the moves."""
        heard = {one: self.sounds_like(one) + NOISE * float(self.rng.normal()) for one in shown}
        heard |= self._remembered
        order = tuple(sorted(heard, key=lambda one: -heard[one]))
        self.looks.append(Look(tuple(shown), order))
        self._remembered = {one: heard[one] for one in order[:REMEMBERED]}
        self.nearest = order[0]
        if Move.WORD in self.moves:
            self.said = min(self.said + 1, len(self.words))
        if Move.NEGATIVE in self.moves:
            wrong = [word for word in self.fits(order[-1]) if word not in self.words]
            self.negatives += [word for word in wrong if word not in self.negatives][:1]
