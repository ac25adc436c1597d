"""A dataset ready for training: latents of tracks, embeddings of captions, and what is held out.

Arrays are read as they are (one latent a track, T = 1); an extraction brings sequences. Shapes:
R tracks, I items (a caption of a track), C different captions, T latents, D latent width, L text
tokens, E text width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from gdr_model.encoders.registry.pairs import MINILM
from gdr_model.errors import UsageError
from gdr_model.models.checkpoint import load
from gdr_model.types import Array, LatentSpace, TextEncoder
from training.data import Dataset, DatasetError, Splits, read
from training.data.config import DataConfig, resolved
from training.data.division import Division, divide, once
from training.data.extracted import read_extracted
from training.data.splits import plain_words
from training.data.texts import Rows, Texts, embed, load_reader


@dataclass(frozen=True)
class Corpus:
    """Everything a run or an evaluation reads."""

    name: str
    tracks: tuple[str, ...]  # R
    latents: tuple[Array, ...] = field(repr=False)  # R × (T, D), as stored
    captions: tuple[str, ...] = field(repr=False)  # C
    caption_of: Rows = field(repr=False)  # (I,)
    track_of: Rows = field(repr=False)  # (I,)
    texts: Texts = field(repr=False)
    splits: Splits
    labels: tuple[str, ...] = ()
    """Names of the latent dimensions, if they have any."""
    model: str = ""
    """What `--model` takes for the encoders that made it; empty for arrays."""
    space: LatentSpace | None = None
    """The space of the latents, if an encoder made them."""
    text_encoder: str = MINILM.name
    """The name of the text encoder that read the captions."""

    @cached_property
    def reader(self) -> TextEncoder:
        """The text encoder that read the captions, to read more."""
        return _reader(self.model, self.text_encoder)

    def pooled(self, captions: Sequence[str]) -> Array:
        """Other captions read (C, E), without token states; the last few sets are remembered."""
        return _pooled(tuple(captions), self.model, self.text_encoder).copy()

    @property
    def means(self) -> Array:
        """Time-means (R, D)."""
        return np.stack([track.mean(0) for track in self.latents])

    @cached_property
    def sounds(self) -> tuple[str, ...]:
        """A fingerprint (R) of each track's latents: equal where the sounds are."""
        return tuple(map(fingerprint, self.latents))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Each caption (C) without what does not distinguish captions."""
        return tuple(map(plain_words, self.captions))

    @cached_property
    def said_of(self) -> Rows:
        """The number (I,) of each item's words; equal words have one."""
        number = {words: i for i, words in enumerate(dict.fromkeys(self.words))}
        return np.array([number[words] for words in self.words], np.int64)[self.caption_of]

    def divided(self, part: str, validation: float) -> Division:
        """What is trained on, validated on and asked when `part` is held out.

        Raises:
            UsageError: if there is no such part.
        """
        return divide(
            self.splits,
            part,
            validation,
            tracks=self.tracks,
            sounds=self.sounds,
            track_of=self.track_of,
            said_of=self.said_of,
        )

    def correct(self, items: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(P, R), True where a track was described in the words of the item."""
        wanted = np.zeros((int(self.said_of.max(initial=0)) + 1, len(self.tracks)), np.bool_)
        wanted[self.said_of, self.track_of] = True
        return wanted[self.said_of[items]]

    def each_once(self) -> NDArray[np.bool_]:
        """(I,) True for one item of every different caption."""
        return once(np.ones(len(self.caption_of), np.bool_), self.said_of)


def _reader(model: str, text_encoder: str) -> TextEncoder:
    return load_reader(text_encoder) if model in ("", "builtin") else load(model, "cpu").text


@lru_cache(maxsize=4)
def _pooled(captions: tuple[str, ...], model: str, text_encoder: str) -> Array:
    return embed(captions, _reader(model, text_encoder)).pooled


def fingerprint(latents: Array) -> str:
    """First 16 hex digits of the SHA-256 of a track's latents."""
    return hashlib.sha256(np.ascontiguousarray(latents).tobytes()).hexdigest()[:16]


def read_corpus(data: DataConfig, *, whole: bool = False) -> Corpus:
    """Read what a configuration names; tracks of an extraction without a caption come last.

    A `whole` set is not divided, however few tracks it has.

    Raises:
        UsageError, DatasetError: if it is not there, or not what it says.
    """
    path = resolved(data.path)
    if path.is_dir():
        found = read_extracted(path)
        rows = {item.track: item.row for item in reversed(found.dataset.items)}
        latents = [
            found.latents[rows[track] or 0].astype(np.float32) for track in found.dataset.tracks
        ]
        corpus = _corpus(data, found.dataset, latents, found.captions, found.texts, whole)
        others = {t: row for row, t in enumerate(found.tracks) if t not in rows}
        return replace(
            corpus,
            tracks=(*corpus.tracks, *others),
            latents=(
                *corpus.latents,
                *(found.latents[row].astype(np.float32) for row in others.values()),
            ),
            model=found.model,
            space=found.space,
            text_encoder=found.text_encoder,
        )
    dataset = read(path, form="arrays")
    assert dataset.arrays is not None  # noqa: S101 (arrays have arrays)
    captions = tuple(dict.fromkeys(item.caption for item in dataset.items))
    stored = dataset.arrays.reshape(len(dataset.arrays), -1, dataset.arrays.shape[-1])
    gallery = [stored[row] for row in dataset.gallery_rows()]
    texts = embed(captions, load_reader(data.text_encoder))
    corpus = _corpus(data, dataset, gallery, captions, texts, whole)
    return replace(corpus, text_encoder=data.text_encoder)


def _corpus(
    data: DataConfig,
    dataset: Dataset,
    latents: Sequence[Array],
    captions: Sequence[str],
    texts: Texts,
    whole: bool,
) -> Corpus:
    column = {track: i for i, track in enumerate(dataset.tracks)}
    number = {caption: i for i, caption in enumerate(captions)}
    sounds = {track: fingerprint(rows) for track, rows in zip(dataset.tracks, latents, strict=True)}
    if whole:
        splits = Splits.undivided(dataset, 0)
    elif data.held_out:
        splits = Splits.given(dataset, sounds)
        splits.fold(data.held_out)
    else:
        splits = Splits.folds(dataset, data.folds, data.split_seed, sounds)
    labels: tuple[str, ...] = ()
    if data.labels:
        file = resolved(data.labels)
        if not file.is_file():
            raise UsageError(f"there is no file of labels {file}")
        labels = tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines())
        width = latents[0].shape[1]
        if len(labels) != width:
            raise DatasetError(f"{file} names {len(labels)} classes; the arrays have {width}")
    return Corpus(
        name=dataset.name,
        tracks=tuple(dataset.tracks),
        latents=tuple(latents),
        captions=tuple(captions),
        caption_of=np.array([number[item.caption] for item in dataset.items], np.int64),
        track_of=np.array([column[item.track] for item in dataset.items], np.int64),
        texts=texts,
        splits=splits,
        labels=labels,
    )
