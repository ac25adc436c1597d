"""Attributes that control is measured by: which tracks have each, and how that is known.

tags       words among a file's tags and the names of its folders
teacher    classes that the built-in model's teacher detects in the sound
classes    classes of arrays whose dimensions have names
captions   instruments, genres and moods that a track's captions name

Shapes: R tracks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gdr_model.errors import UsageError
from training.data.corpus import Corpus
from training.data.folder import words_of
from training.retrievers.gallery import Gallery
from training.words.generated_captions import TABLES
from training.words.tagger_attributes import tagger_classes

Attributes = Mapping[str, NDArray[np.bool_]]
"""Which tracks (R,) have each attribute, by its name."""

TOP_SHARE = 0.15
"""A track has a class if its score is among the highest of this share of the gallery."""
LIKELY = -6.0
"""Mean log probability of the tracks that have a class, below which it is too faint to count."""
LEAST_TRACKS = 3
"""An attribute of fewer tracks says nothing about a top 20."""
FLOOR = 1e-5
"""Added to probabilities before the logarithm, if the run sets no floor."""


def of_library(gallery: Gallery, source: str = "tags") -> Attributes:
    """What the tracks of an indexed library have, by their `tags` or by the `teacher`.

    Raises:
        UsageError: if its tracks share no attribute.
        FileNotFoundError: if the teacher is needed and is not there.
    """
    library = gallery.library
    found = tagger_classes(library, gallery.tracks) if source == "teacher" else tagged(gallery)
    return _shared(found, len(gallery.tracks), f"the tracks of {library.root}")


def of_corpus(corpus: Corpus, floor: float = FLOOR) -> Attributes:
    """What the tracks of a captioned set have: its classes if it has any, else words of captions.

    Raises:
        UsageError: if its tracks share no attribute.
    """
    found = classes(corpus, floor) if corpus.labels else in_captions(corpus)
    return _shared(found, len(corpus.tracks), f"the tracks of {corpus.name}")


def tagged(gallery: Gallery) -> Attributes:
    """Which tracks have each word among their tags and folders."""
    words = [words_of(track.path, gallery.library.root) for track in gallery.tracks]
    return _by_word(words)


def classes(corpus: Corpus, floor: float) -> Attributes:
    """Which tracks have each instrument, genre and mood among the classes of the arrays."""
    logs = np.log(corpus.means + floor)
    wanted = max(LEAST_TRACKS, round(TOP_SHARE * len(logs)))
    found = {}
    for column, name in enumerate(corpus.labels):
        if any(name in table for table in TABLES[:3]):
            has = logs[:, column] >= np.sort(logs[:, column])[-wanted]
            # Classes that are hardly ever likely are ranked by noise.
            if logs[has, column].mean() > LIKELY:
                found[name] = has
    return found


def in_captions(corpus: Corpus) -> Attributes:
    """Which tracks have a caption that names each instrument, genre or mood."""
    names = {way for table in TABLES[:3] for text in table.values() for way in text.split("|")[:1]}
    captions: list[list[str]] = [[] for _ in corpus.tracks]
    for track, row in zip(corpus.track_of, corpus.caption_of, strict=True):
        captions[track].append(corpus.captions[row].lower())
    words = {name: re.compile(rf"(?<!\w){re.escape(name.lower())}(?!\w)") for name in sorted(names)}
    return {
        name: np.array([any(map(word.search, own)) for own in captions])
        for name, word in words.items()
    }


def _by_word(words: Sequence[set[str]]) -> Attributes:
    every = sorted({word for own in words for word in own})
    return {word: np.array([word in own for own in words]) for word in every}


def _shared(found: Attributes, tracks: int, whose: str) -> Attributes:
    kept = {name: has for name, has in found.items() if LEAST_TRACKS <= has.sum() < tracks}
    if not kept:
        raise UsageError(f"{whose} share no attribute to measure by")
    return kept
