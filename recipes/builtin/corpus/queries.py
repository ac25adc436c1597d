"""Queries as people type them, each with the classes that answer it.

A caption describes one passage. A query applies to every passage, and the teachers have an opinion
of each: `order` turns it into scores, from which the tower learns the whole ranking and the
diffusion model what to draw for words that few captions hold. Genres, moods, instruments
and voices are asked for alike, however rare they are in the training music.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gdr_model.types import Array
from training.words import vocabulary as words
from training.words.captions import RNG, listed, pick
from training.words.people import Written

FELT = (
    "Happy music",
    "Sad music",
    "Tender music",
    "Exciting music",
    "Angry music",
    "Scary music",
    "Ambient music",
    "New-age music",
    "Mellow music",
    "Sensual music",
    "Party music",
)
"""Classes that are moods themselves; in the table of moods, others lend a mood their words."""
PLAIN_FELT = FELT[:5]
"""Moods people ask for most."""


@dataclass(frozen=True)
class Asked:
    """A query and the classes that answer it, all of them wanted alike."""

    text: str
    wanted: tuple[str, ...]

    @property
    def classes(self) -> dict[str, float]:
        """How much each class answers it."""
        return dict.fromkeys(self.wanted, 1.0)


def phrase(rng: RNG, table: dict[str, str], name: str) -> str:
    """How a class may be put: the table's words, or the teacher's own name for it."""
    if rng.random() < 0.2 and table is not words.MOODS:
        return name.split(" (")[0].lower().removesuffix(" music")
    return pick(rng, table[name].split("|"))


def genre(rng: RNG) -> Asked:
    """A genre alone."""
    name = pick(rng, list(words.GENRES))
    said = phrase(rng, words.GENRES, name)
    form = pick(
        rng, ["{} music", "{} music", "{}", "{} song", "{} track", "some {} music", "{} tune"]
    )
    return Asked(form.format(said), (name,))


def feeling(rng: RNG) -> tuple[str, str]:
    """A mood, in one word or two of the same meaning, and its class."""
    name = pick(rng, PLAIN_FELT if rng.random() < 0.6 else FELT)
    said = words.MOODS[name].split("|")
    first = pick(rng, said)
    second = pick(rng, said)
    joint = pick(rng, [", ", " and ", ", "])
    return (first if second == first or rng.random() < 0.5 else first + joint + second), name


def mood(rng: RNG) -> Asked:
    """A mood alone."""
    said, name = feeling(rng)
    forms = ["{} music", "{} music", "{} song", "{}", "something {}", "music that feels {}"]
    return Asked(pick(rng, forms).format(said), (name,))


def sounding(rng: RNG) -> Asked:
    """An instrument or a voice, or two."""
    table = words.VOICES if rng.random() < 0.25 else words.INSTRUMENTS
    name = pick(rng, list(table))
    said = phrase(rng, table, name)
    if rng.random() < 0.3:
        other = pick(rng, list(words.INSTRUMENTS))
        if other != name:
            both = listed(rng, [said, phrase(rng, words.INSTRUMENTS, other)])
            return Asked(pick(rng, ["{}", "music with {}"]).format(both), (name, other))
    forms = ["{}", "music with {}", "{} music", "a song with {}"]
    return Asked(pick(rng, forms).format(said), (name,))


def mixed(rng: RNG) -> Asked:
    """A genre with a mood, instruments, a voice: `melancholy rock with piano and vocals`."""
    name = pick(rng, list(words.GENRES))
    text, classes = phrase(rng, words.GENRES, name), [name]
    if rng.random() < 0.65:
        said, felt = feeling(rng)
        text, classes = f"{said} {text}", [*classes, felt]
    if rng.random() < 0.5:
        text += pick(rng, [" music", " song", " track", ""])
    sounds = []
    if rng.random() < 0.6 or len(classes) == 1:
        instrument = pick(rng, list(words.INSTRUMENTS))
        sounds.append(phrase(rng, words.INSTRUMENTS, instrument))
        classes.append(instrument)
    if rng.random() < 0.35:
        voice = pick(rng, ["Singing", "Singing", "Choir", "Rapping"])
        sounds.append(phrase(rng, words.VOICES, voice))
        classes.append(voice)
    if sounds:
        text += pick(rng, [" with ", " with ", " featuring "]) + listed(rng, sounds)
    return Asked(text, tuple(dict.fromkeys(classes)))


FORMS = ((genre, 0.35), (mood, 0.2), (sounding, 0.15), (mixed, 0.3))


def queries(rng: RNG, count: int) -> list[Asked]:
    """`count` different queries."""
    shares = np.array([share for _, share in FORMS])
    found: dict[str, Asked] = {}
    while len(found) < count:
        asked = FORMS[int(rng.choice(len(FORMS), p=shares))][0](rng)
        text = " ".join(asked.text.replace("music music", "music").split())
        if rng.random() < 0.3:
            text = text[:1].upper() + text[1:]
        found.setdefault(text, Asked(text, asked.wanted))
    return list(found.values())


def weights(query: Asked | Written, names: Sequence[str]) -> Array:
    """How much each class answers a query (classes,), as a vector of unit length.

    Classes that are not among `names` count nothing; if none is, the vector is zero.
    """
    row = np.zeros(len(names), np.float32)
    for name, value in query.classes.items():
        if name in names:
            row[names.index(name)] = value
    return row / max(float(np.linalg.norm(row)), 1e-9)


def order(z: Array, wanted: Array) -> Array:
    """Scores (Q, N) of passages with deviations (N, C) under the weights (Q, C) of queries.

    A class can lift a passage by three deviations at most, so that no single loud fact outweighs
    the others.
    """
    return np.asarray(wanted @ np.clip(z, -3.0, 3.0).T, np.float32)
