"""What a run knows of its set, kept in its folder: the splits, and what it read and heard.

splits.json    which tracks are in which part; an evaluation goes by these, not by the set as it is
known.json     fingerprints of the captions and the sounds it trained or validated on, so that
               another set that holds some of them is not asked for these
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gdr_model import decode, plain
from training.data import Splits
from training.data.corpus import Corpus
from training.data.division import Division, Mask
from training.runs.state import RunError, write_json

SPLITS, KNOWN = "splits.json", "known.json"


@dataclass(frozen=True)
class Known:
    """Fingerprints of captions and of sounds."""

    captions: frozenset[str] = frozenset()
    sounds: frozenset[str] = frozenset()

    def of(self, corpus: Corpus) -> tuple[Mask, Mask]:
        """Which items (I,) of a corpus have a known caption, which tracks (R,) a known sound."""
        read = np.array([_hashed(words) in self.captions for words in corpus.words], np.bool_)
        heard = np.array([sound in self.sounds for sound in corpus.sounds], np.bool_)
        return read[corpus.caption_of], heard


def as_trained(corpus: Corpus, folder: Path) -> Corpus:
    """A corpus with the splits of a run in a folder.

    Raises:
        DatasetError: if they are damaged, or were made for other tracks.
    """
    splits = Splits.read(folder / SPLITS)
    splits.check(corpus.tracks[row] for row in set(corpus.track_of.tolist()))
    return replace(corpus, splits=splits)


def write_known(folder: Path, corpus: Corpus, division: Division) -> None:
    """Keep what a run trains and validates on."""
    tracks = division.trained | division.validation
    items = division.items | division.validation[corpus.track_of]
    captions = {_hashed(corpus.words[row]) for row in set(corpus.caption_of[items].tolist())}
    sounds = {sound for sound, known in zip(corpus.sounds, tracks, strict=True) if known}
    write_json(folder / KNOWN, {"captions": sorted(captions), "sounds": sorted(sounds)})


def read_known(folder: Path) -> Known:
    """What `write_known` kept; nothing where there is no such file.

    Raises:
        RunError: if it is damaged.
    """
    path = folder / KNOWN
    if not path.is_file():
        return Known()
    try:
        raw = plain.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    return decode.into(Known, raw, prefix=f"{path}: ", error=RunError)


def _hashed(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
