"""Captions generated from facts about a passage; no text is copied from anywhere.

`captions(facts, rng, n)` states the facts in many ways: lists of tags, single words, fragments,
one to four sentences. Facts come from the teacher (classes with a score), from the score of a
render, from the lists of sources, and from measurements; nothing else is stated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from training.words import vocabulary as words

RNG = np.random.Generator
LEAST = 0.2
"""Classes with lower scores are not mentioned."""


@dataclass(frozen=True)
class Facts:
    """Facts about a passage. Classes are the teacher's, with score z + ln(p) / 2 + 2."""

    classes: tuple[tuple[str, float], ...] = ()
    instruments: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    """Keys of `vocabulary.MEASURED`."""
    sung: bool | None = None
    """None where unknown: then neither singing nor its absence is mentioned."""
    female: bool = False
    """True only if the source says so."""


@dataclass
class Slots:
    """Phrases chosen for one caption; empty ones are left out."""

    genres: list[str] = field(default_factory=list)
    instruments: list[str] = field(default_factory=list)
    moods: list[str] = field(default_factory=list)
    voice: str = ""
    tempo: str = ""
    use: str = ""
    era: str = ""
    measured: list[str] = field(default_factory=list)


def pick(rng: RNG, options: Sequence[str]) -> str:
    """One of several options, at random."""
    return options[int(rng.integers(len(options)))]


def say(rng: RNG, table: dict[str, str], name: str) -> str:
    """A phrase for a class; a third of the time its first, plainest one."""
    phrases = table[name].split("|")
    return phrases[0] if rng.random() < 0.33 else pick(rng, phrases)


def choose(rng: RNG, facts: Facts, table: dict[str, str], count: int) -> list[str]:
    """Up to `count` classes of a table, likelier the higher their score."""
    names = [(n, s) for n, s in facts.classes if n in table and s > LEAST]
    if not names or count < 1:
        return []
    scores = np.array([s for _, s in names])
    # Gumbel noise makes a draw without repetition in proportion to exp(score / .6).
    order = np.argsort(-(scores / 0.6 + rng.gumbel(size=len(scores))))
    # A class far below the best one is hardly audible.
    kept = [int(i) for i in order if scores[i] > scores.max() - 2.0]
    return [names[i][0] for i in kept[:count]]


def distinct(phrases: Sequence[str]) -> list[str]:
    """The phrases that repeat no word of an earlier one."""
    kept: list[str] = []
    for phrase in phrases:
        own = {w for w in phrase.lower().split() if len(w) > 3}
        if phrase and not any(own & set(k.lower().split()) for k in kept) and phrase not in kept:
            kept.append(phrase)
    return kept


def fill(facts: Facts, rng: RNG) -> Slots:
    """Choose the content of one caption."""
    slots = Slots()
    genres = [say(rng, words.GENRES, n) for n in choose(rng, facts, words.GENRES, 3)]
    if facts.genres and (not genres or rng.random() < 0.65):
        genres.insert(0, pick(rng, facts.genres))
    slots.genres = distinct(genres)[: 1 + int(rng.random() < 0.3)]
    played = [say(rng, words.INSTRUMENTS, n) for n in choose(rng, facts, words.INSTRUMENTS, 4)]
    if facts.instruments and rng.random() < 0.75:
        known = [str(i) for i in rng.permutation(np.array(facts.instruments, dtype=object))]
        played = known + played[: int(rng.integers(0, 2))]
    slots.instruments = distinct(played)[
        : int(rng.choice([1, 2, 3, 4], p=[0.25, 0.35, 0.25, 0.15]))
    ]
    moods = [say(rng, words.MOODS, n) for n in choose(rng, facts, words.MOODS, 3)]
    if facts.moods and (not moods or rng.random() < 0.6):
        moods = [str(m) for m in rng.permutation(np.array(facts.moods, dtype=object))] + moods
    slots.moods = distinct(moods)[: int(rng.integers(1, 4))]
    slots.voice = voice(facts, rng)
    tempos = [m for m in facts.measured if m in ("slow", "medium", "fast")]
    others = [m for m in facts.measured if m not in tempos]
    if tempos:
        slots.tempo = say(rng, words.MEASURED, tempos[0])
    slots.measured = [say(rng, words.MEASURED, m) for m in others]
    if rng.random() < 0.5:
        uses = choose(rng, facts, words.USES, 1)
        slots.use = say(rng, words.USES, uses[0]) if uses else ""
    if rng.random() < 0.3:
        eras = choose(rng, facts, words.ERAS, 1)
        best = [n for n, _ in facts.classes if n in words.GENRES][:2]
        slots.era = say(rng, words.ERAS, eras[0]) if eras and eras[0] in best else ""
    return slots


def voice(facts: Facts, rng: RNG) -> str:
    """A phrase for the singing, or its absence; empty if unknown or not to be mentioned."""
    if facts.sung is False:
        return pick(rng, ["instrumental", "no vocals", "no singer"]) if rng.random() < 0.2 else ""
    names = choose(rng, facts, words.VOICES, 1)
    if facts.sung is None and (not names or dict(facts.classes)[names[0]] < 1.5):
        return ""
    if facts.female and rng.random() < 0.5:
        return pick(rng, ["female vocals", "a female singer", "a woman singing"])
    if not names or (facts.sung and rng.random() < 0.4):
        return say(rng, words.VOICES, "Singing")
    return say(rng, words.VOICES, names[0])


def listed(rng: RNG, items: Sequence[str]) -> str:
    """Join words as people do: `a`, `a and b`, `a, b and c`."""
    if len(items) < 2:
        return "".join(items)
    joint = pick(rng, [" and ", " and ", ", ", " with "]) if len(items) == 2 else " and "
    return ", ".join(items[:-1]) + joint + items[-1]


def article(phrase: str) -> str:
    """The phrase with its indefinite article."""
    vowel = phrase[:1].lower() in "aeio" or phrase.startswith(("up", "8-", "R&B", "EDM", "IDM"))
    return f"{'an' if vowel and not phrase.startswith('one') else 'a'} {phrase}"


def noun(slots: Slots, facts: Facts, rng: RNG) -> str:
    """A noun for the music."""
    if slots.voice and not slots.voice.startswith(("instrumental", "no ")):
        return pick(rng, ["song", "song", "track", "tune", "music"])
    if facts.sung is False and rng.random() < 0.25:
        return pick(rng, ["instrumental", "instrumental piece", "instrumental track"])
    return pick(rng, ["music", "music", "piece", "track", "tune", "song", "piece of music"])


def kernel(slots: Slots, facts: Facts, rng: RNG) -> str:
    """Adjectives, genre and noun: `slow, moody jazz piece`."""
    adjectives = list(slots.moods[: int(rng.integers(0, 3))])
    plain = [m for m in slots.measured if " " not in m and "-" not in m]
    if slots.tempo and rng.random() < 0.45:
        adjectives.insert(0, slots.tempo)
    elif plain and rng.random() < 0.2:
        adjectives.append(plain[0])
    genre = "-".join(slots.genres) if rng.random() < 0.1 else " ".join(slots.genres[:1])
    if len(slots.genres) > 1 and rng.random() < 0.5:
        genre = f"{slots.genres[0]} and {slots.genres[1]}"
    joined = pick(rng, [", ", ", ", " and ", " "]).join(distinct(adjectives))
    return " ".join(part for part in (joined, genre, noun(slots, facts, rng)) if part)


def companions(slots: Slots, rng: RNG) -> str:
    """Instruments and voice as one list."""
    items = list(slots.instruments)
    if slots.voice and not slots.voice.startswith(("instrumental", "no ")):
        items.insert(int(rng.integers(0, len(items) + 1)), slots.voice)
    return listed(rng, items)


def tags(slots: Slots, facts: Facts, rng: RNG) -> str:
    """A comma-separated list, as people fill in forms."""
    items = [*slots.genres, *slots.instruments, *slots.moods, *slots.measured[:1]]
    items += [part for part in (slots.voice, slots.tempo) if part]
    chosen = [str(i) for i in rng.permutation(np.array(distinct(items), dtype=object))]
    return ", ".join(chosen[: int(rng.integers(2, 7))]) or "music"


def word(slots: Slots, facts: Facts, rng: RNG) -> str:
    """One word or class, with or without "music"."""
    options = [*slots.genres, *slots.instruments[:2], *slots.moods[:2]]
    if slots.genres:
        options.append(f"{slots.genres[0]} music")
    if slots.moods:
        options.append(f"{slots.moods[0]} music")
    if slots.instruments:
        options.append(
            pick(rng, ["{} music", "solo {}", "{} playing"]).format(slots.instruments[0])
        )
    if slots.use:
        options.append(f"music for {slots.use}")
    names = [n for n, s in facts.classes if s > LEAST and (n in words.GENRES or n in words.MOODS)]
    options += names[:2]
    options += [slots.voice] if slots.voice else []
    return pick(rng, options) if options else "music"


def fragment(slots: Slots, facts: Facts, rng: RNG) -> str:
    """Half a sentence, `moody jazz with a trumpet solo`."""
    text = kernel(slots, facts, rng)
    if rng.random() < 0.4 and (not text.endswith("music") or "piece of" in text):
        text = article(text)
    companion = companions(slots, rng)
    if companion and rng.random() < 0.8:
        text += (
            pick(
                rng,
                [" with ", " with ", " featuring ", " played on ", ", ", " led by ", " built on "],
            )
            + companion
        )
    if slots.use and rng.random() < 0.5:
        text += pick(rng, [" for ", ", good for ", ", suitable for ", " to use for "]) + slots.use
    elif slots.era:
        text += f" that sounds like {slots.era}"
    return text


def led(slots: Slots, facts: Facts, rng: RNG) -> str:
    """Instruments first: `A flute plays a gentle melody over strings.`."""
    if not slots.instruments:
        return fragment(slots, facts, rng)
    mood = slots.moods[0] if slots.moods else pick(rng, ["simple", "steady"])
    text = pick(
        rng,
        [
            "{i} playing {m} {g} music",
            "{i} in {am} {g} piece",
            "{m} {g} {i}",
            "{am} melody on {i}",
            "{i}, {m} and {t}",
            "{i} over {j}",
        ],
    )
    second = slots.instruments[1] if len(slots.instruments) > 1 else "a backing"
    genre = slots.genres[0] if slots.genres else ""
    return text.format(
        i=slots.instruments[0],
        j=second,
        m=mood,
        am=article(mood),
        g=genre,
        t=slots.tempo or (slots.moods[-1] if slots.moods else "plain"),
    ).replace("  ", " ")


def sentences(slots: Slots, facts: Facts, rng: RNG) -> str:
    """One to four sentences, as in a written description."""
    core = kernel(slots, facts, rng)
    counted = core if core.endswith("music") and "piece of" not in core else article(core)
    subject = pick(rng, ["This", "This", "It", "The recording", "The audio"])
    parts = [f"{subject} is {counted}." if rng.random() < 0.7 else f"{counted}."]
    more: list[str] = []
    if slots.instruments:
        instruments = listed(rng, slots.instruments)
        verb = pick(
            rng,
            [
                "It features {}.",
                "The music features {}.",
                "You can hear {}.",
                "{} can be heard.",
                "{} play the main part.",
                "The instruments are {}.",
                "There is {} in it.",
                "It is carried by {}.",
            ],
        )
        more.append(verb.format(instruments))
    if slots.voice.startswith(("instrumental", "no ")):
        more.append(
            pick(rng, ["There is no singer.", "It is instrumental.", "There are no vocals."])
        )
    elif slots.voice:
        options = ["There is {}.", "It has {}.", "{} over the accompaniment.", "The voice: {}."]
        more.append(pick(rng, options).format(slots.voice))
    if slots.moods:
        feels = listed(rng, slots.moods)
        options = ["It feels {}.", "The mood is {}.", "The atmosphere is {}.", "It sounds {}."]
        more.append(pick(rng, options).format(feels))
    if slots.tempo:
        options = ["The song is {}.", "It is {}.", "The pace is {}."]
        more.append(pick(rng, options).format(slots.tempo))
    if slots.measured and rng.random() < 0.6:
        more.append(f"The sound is {slots.measured[0]}.")
    if slots.use:
        options = ["It could be used for {}.", "It would suit {}.", "Good for {}.", "Fit for {}."]
        more.append(pick(rng, options).format(slots.use))
    if slots.era:
        more.append(f"It sounds like {slots.era}.")
    count = int(rng.integers(0, 4))
    parts += [more[i] for i in sorted(rng.permutation(len(more))[:count])]
    return " ".join(part[0].upper() + part[1:] for part in parts)


FORMS = (
    (fragment, 0.32),
    (sentences, 0.32),
    (tags, 0.16),
    (led, 0.10),
    (word, 0.10),
)


def finish(text: str, rng: RNG) -> str:
    """Doubled words once ("heavy heavy metal"); capitals and full stops mostly, or not at all."""
    text = re.sub(r"\b(\w+)( \1\b)+", r"\1", " ".join(text.split()), flags=re.IGNORECASE)
    if rng.random() < 0.5:
        text = text[:1].upper() + text[1:]
        if rng.random() < 0.5 and " " in text and not text.endswith("."):
            text += "."
    return text


def captions(facts: Facts, rng: RNG, n: int) -> list[str]:
    """`n` captions of a passage, each with its own choice of facts and form."""
    shares = np.array([share for _, share in FORMS])
    written = []
    for _ in range(n):
        form = FORMS[int(rng.choice(len(FORMS), p=shares / shares.sum()))][0]
        written.append(finish(form(fill(facts, rng), facts, rng), rng))
    return written
