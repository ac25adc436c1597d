"""What a simulated person looks for, and in what: a library, an ear, words, and targets.

The ear is a second extraction of the same tracks by another encoder: features that gdr does not
search by. Each track is its mean over time, and every block of features counts as much; two tracks
are as alike as the cosine of their standardised features. Words are the attributes that the
captions of a set name. A track is a target if it has words, and is in the half that is asked for:
strengths are chosen on one half, and reported on the other.

Shapes: R recordings, F features of the ear.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from gdr_model.errors import UsageError
from gdr_model.search.retriever import Retriever
from gdr_model.search.whitening import unit
from gdr_model.types import Array
from training.data.extracted import read_extracted
from training.evaluation import attributes
from training.evaluation.subjects import CPU, opened
from training.retrievers.gallery import Gallery

LEAST = 20
"""Tracks below which a list of ten is not a search."""
REMEMBERED = 20_000
"""Draws that are kept: every system is asked the same prompts."""


@dataclass(frozen=True)
class World:
    """A library with its ears and words."""

    retriever: Retriever
    gallery: Gallery
    names: tuple[str, ...] = field(repr=False)
    """Of the tracks (R)."""
    ear: Array = field(repr=False)
    """(R, F) unit rows."""
    words: tuple[tuple[str, ...], ...] = field(repr=False)
    """That fit each track (R); none for a track that no caption describes."""

    @property
    def sounds(self) -> Array:
        """The points (R, D) of the tracks as evidence compares them."""
        drawer, tracks = self.retriever.drawer, self.gallery.tracks
        return np.stack([drawer.sound_of(str(track.path)) for track in tracks])

    def targets(self, half: int, count: int) -> list[int]:
        """Up to so many columns of tracks with words of half 1 or 2, in an order of their own.

        Raises:
            UsageError: if there is none.
        """
        keys = [hashlib.sha256(name.encode()).digest() for name in self.names]
        wanted = [r for r, own in enumerate(self.words) if own and keys[r][0] % 2 == half % 2]
        if not wanted:
            raise UsageError(f"no track of half {half} has words to be asked for by")
        return sorted(wanted, key=lambda row: keys[row])[:count]


def heard(features: Array) -> Array:
    """Features (R, F) of an ear as unit rows whose dot product is how alike two tracks sound."""
    apart = features - features.mean(axis=0)
    return unit(apart / np.maximum(features.std(axis=0), 1e-6))


@contextmanager
def world(name: str, data: str, ear: Sequence[str], device: torch.device = CPU) -> Iterator[World]:
    """A model and a captioned set, with other extractions of its tracks as the ear.

    Raises:
        UsageError: if the tracks share no attribute, or an ear lacks a track.
    """
    with opened(name, data, device=device) as subject:
        tracks = subject.corpus.tracks
        if len(tracks) < LEAST:
            raise UsageError(f"{subject.corpus.name} has {len(tracks)} tracks; use {LEAST} or more")
        found = attributes.in_captions(subject.corpus)
        fits = [
            tuple(word for word, has in found.items() if has[row]) for row in range(len(tracks))
        ]
        parts = [heard(_rows(Path(one), tracks)) for one in ear]
        retriever = Retriever(subject.model, [subject.gallery.library], remember=REMEMBERED)
        yield World(
            retriever, subject.gallery, tracks, unit(np.concatenate(parts, axis=1)), tuple(fits)
        )


def _rows(folder: Path, tracks: Sequence[str]) -> Array:
    """The time-means (R, F) of an extraction, in the order of the tracks."""
    extracted = read_extracted(folder)
    row_of = {track: row for row, track in enumerate(extracted.tracks)}
    if missing := [track for track in tracks if track not in row_of]:
        raise UsageError(f"{folder} lacks {len(missing)} tracks of the set, such as {missing[0]}")
    means = [extracted.latents[row_of[track]].astype(np.float32).mean(0) for track in tracks]
    return np.stack(means)
