"""Captions that musicians wrote, as queries: MusicCaps (CC BY-SA 4.0), without its sound.

A row has a caption, a list of aspects, and the labels that AudioSet gives the clip, which are
classes of the first teacher. Labels and aspects say which classes answer the caption; passages that
have them in the teachers' opinion become its answers. Rows of AudioSet's evaluation part are left
out: they test the words.
"""

from __future__ import annotations

import ast
import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from training.words import vocabulary as words
from training.words.captions import RNG
from training.words.teacher import MUSIC, VOICE, labels, shared

FILE = "musiccaps-public.csv"
CLASS_MAP = "yamnet_class_map.csv"
COMMON = {"Music", "Musical instrument", "Song", "Singing", "Background music", "Theme music"}
"""Labels that most clips could have."""
ABSENT = re.compile(r"^(no|without|none of the)\b|\bno (other|singer|vocal|voice)")
NO_VOICE = re.compile(r"^instrumental( music)?$|\bno (voice|voices|singer|singing|vocals?)\b")
SPOKEN: dict[str, str] = {
    "Female vocals": "female vocal|female voice|female singer|female vocalist|woman singing|"
    "female singing|women singing|girl singing",
    "Male vocals": "male vocal|male voice|male singer|male vocalist|man singing|male singing|"
    "men singing",
    "Drum kit": "acoustic drums|drum kit|punchy snare|punchy kick|drum set",
    "Drum machine": "electronic drums|digital drums|programmed drums|drum machine",
    "Bass guitar": "e-bass|bass guitar|groovy bass|electric bass",
    "Electric guitar": "e-guitar|electric guitar|distorted guitar|distortion guitar",
    "Tender music": "romantic|calming|soothing|sentimental",
    "Exciting music": "energetic|exciting|intense|spirited|enthusiastic|lively|vibrant",
    "Happy music": "happy|cheerful|joyful|fun|upbeat|youthful",
    "Sad music": "sad|melancholic|melancholy|emotional",
    "Angry music": "aggressive|angry|intense metal",
    "Mellow music": "mellow|easygoing|chill",
    "Soul music": "soulful|soul",
    "Ambient music": "ambient|atmospheric|meditative|ethereal",
}
"""More phrases that musicians use, for the classes they mean."""
FELT = {
    *("Happy music", "Sad music", "Tender music", "Exciting music", "Angry music", "Scary music"),
    *("Ambient music", "New-age music", "Mellow music", "Beautiful music", "Sensual music"),
    *("Catchy music", "Party music", "Chillout music"),
}
"""Classes that are moods themselves; the words that others lend to moods mean too much."""
SHORTEST = 3
MENTIONED = 6
"""Aspects in one list, at most."""


@dataclass(frozen=True)
class Written:
    """A text of a person, and how much each class answers it; below zero it must be absent."""

    text: str
    classes: Mapping[str, float]


@dataclass(frozen=True)
class Row:
    """A row of MusicCaps."""

    caption: str
    aspects: tuple[str, ...]
    classes: frozenset[str]
    """AudioSet's labels, those that are classes of music and voices."""
    evaluation: bool = False


def rows() -> list[Row]:
    """Every row of the shared file.

    Raises:
        FileNotFoundError: if `GDR_SHARED` names no folder with it.
    """
    folder = shared() / "data"
    with (folder / CLASS_MAP).open(encoding="utf-8", newline="") as file:
        numbers = {row["mid"]: int(row["index"]) for row in csv.DictReader(file)}
    names = labels()
    musical = {*range(MUSIC.start, MUSIC.stop), *range(VOICE.start, VOICE.stop)}
    found = []
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            mids = row["audioset_positive_labels"].split(",")
            own = {numbers[mid] for mid in mids if mid in numbers}
            classes = frozenset(names[n] for n in own if n in musical) - COMMON
            # Some captions have line breaks.
            aspects = tuple(" ".join(a.split()) for a in ast.literal_eval(row["aspect_list"]))
            caption = " ".join(row["caption"].split())
            found.append(Row(caption, aspects, classes, row["is_audioset_eval"] == "True"))
    return found


def phrases() -> dict[str, set[str]]:
    """What people say, in lower case, and the classes it means."""
    meant: dict[str, set[str]] = {}
    moods = {name: joined for name, joined in words.MOODS.items() if name in FELT}
    # A genre of the eighties is not what "80s" means.
    eras = {name: joined for name, joined in words.ERAS.items() if name not in words.GENRES}
    for table in (words.INSTRUMENTS, words.GENRES, words.VOICES, eras, moods, SPOKEN):
        for name, joined in table.items():
            for phrase in joined.split("|"):
                plain = re.sub(r"^(a|an|the) ", "", phrase.lower())
                if len(plain) >= SHORTEST:
                    meant.setdefault(plain, set()).add(name)
    return meant


@dataclass(frozen=True)
class Lexicon:
    """Finds the classes that an aspect means."""

    meant: Mapping[str, set[str]]

    def classes(self, aspect: str) -> dict[str, float]:
        """From the longest phrases in it, each word counted once."""
        text = aspect.lower().replace("-", " ")
        if NO_VOICE.search(text):
            return {"Singing": -1.0}
        if ABSENT.search(text):
            return {}
        said = text.split()
        found: dict[str, float] = {}
        at = 0
        while at < len(said):
            for end in range(len(said), at, -1):
                phrase = " ".join(said[at:end])
                own = self.meant.get(phrase) or self.meant.get(phrase.removesuffix("s"))
                if own:
                    for name in own:
                        found[name] = max(found.get(name, 0.0), 1 / math.sqrt(len(own)))
                    at = end
                    break
            else:
                at += 1
        return found


def written(rng: RNG, each: int = 4) -> Iterator[Written]:
    """Up to `each` texts of every row that is not held out: its caption, parts of it, aspects."""
    kept = [row for row in rows() if not row.evaluation]
    lexicon = Lexicon({phrase.replace("-", " "): own for phrase, own in phrases().items()})
    meanings = [[(aspect, lexicon.classes(aspect)) for aspect in row.aspects] for row in kept]
    counts = Counter(name for row in kept for name in row.classes)
    for aspects in meanings:
        counts.update({name for _, own in aspects for name in own})
    rare = {name: math.log(len(kept) / count) for name, count in counts.items()}
    for row, aspects in zip(kept, meanings, strict=True):
        every = {name: rare[name] for name in row.classes}
        for _, own in aspects:
            for name, share in own.items():
                every[name] = max(every.get(name, 0.0), share * rare[name], key=abs)
        if not every:
            continue
        yield Written(row.caption, every)
        sentences = re.split(r"(?<=[.!?])\s+", row.caption)
        if len(sentences) > 1:
            first = int(rng.integers(len(sentences) - 1)) if len(sentences) > 2 else 0
            yield Written(" ".join(sentences[first : first + 2]), every)
        known = [(aspect, own) for aspect, own in aspects if own]
        for _ in range(each - 2):
            if not known:
                break
            yield listed(rng, known, rare)


def listed(
    rng: RNG, known: Sequence[tuple[str, dict[str, float]]], rare: Mapping[str, float]
) -> Written:
    """A list of some aspects."""
    count = int(rng.integers(1, min(MENTIONED, len(known)) + 1))
    chosen = [known[int(i)] for i in rng.permutation(len(known))[:count]]
    classes: dict[str, float] = {}
    for _, own in chosen:
        for name, share in own.items():
            classes[name] = max(classes.get(name, 0.0), share * rare[name], key=abs)
    joint = ", " if rng.random() < 0.7 else " "
    return Written(joint.join(aspect for aspect, _ in chosen), classes)
