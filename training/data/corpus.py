"""A dataset as a run sees it: tracks with latents, captions with embeddings, and who is held out.

Arrays are read as they are (one latent a track, T = 1); an extraction brings sequences. Shapes:
R tracks, I items (a caption of a track), C different captions, T latents, D latent width, L text
tokens, E text width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from gdr_model.encoders.shared.prompts import PromptReader
from gdr_model.errors import UsageError
from gdr_model.models.checkpoint import load
from gdr_model.types import Array, LatentSpace, TextEmbedding
from training.data import Dataset, DatasetError, Splits, read
from training.data.extracted import joined_masks, read_extracted
from training.runs.config import DataConfig, resolved

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Texts:
    """Captions, embedded once; states are kept in half precision, without their padding."""

    pooled: Array  # (C, E)
    mask: NDArray[np.bool_] = field(repr=False)  # (C, L)
    tokens: NDArray[np.float16] = field(repr=False)  # (M, E)

    def of(self, rows: Rows, states: bool = True) -> TextEmbedding:
        """The embedding of some captions; without `states` one empty token stands for all."""
        pooled = self.pooled[rows]
        if not states:
            empty = np.zeros((len(rows), 1, pooled.shape[1]), np.float32)
            return TextEmbedding(empty, np.ones((len(rows), 1), np.bool_), pooled)
        ends = np.cumsum(self.mask.sum(axis=1))[rows]
        mask = self.mask[rows]
        found = np.zeros((*mask.shape, self.tokens.shape[1]), np.float32)
        for into, keep, end in zip(found, mask, ends, strict=True):
            into[keep] = self.tokens[end - keep.sum() : end]
        return TextEmbedding(found, mask, pooled)

    def and_(self, more: Texts) -> Texts:
        """These captions and then others."""
        return Texts(
            np.concatenate([self.pooled, more.pooled]),
            joined_masks([self.mask, more.mask]),
            np.concatenate([self.tokens, more.tokens]),
        )


@lru_cache(maxsize=1)
def minilm() -> PromptReader:
    """The text encoder, loaded once."""
    from gdr_model.encoders.builtin.minilm import find, load_text

    return load_text(find(), torch.device("cpu"))


def embed(captions: Sequence[str], reader: PromptReader | None = None) -> Texts:
    """Read captions, with MiniLM unless another text encoder is given."""
    reader = reader or minilm()
    states: list[NDArray[np.float16]] = [np.empty((0, reader.width), np.float16)] * len(captions)
    pooled = np.empty((len(captions), reader.pooled_width), np.float32)
    for row, (tokens, summary) in reader.read_all(captions):
        states[row] = tokens.astype(np.float16)
        pooled[row] = summary
    lengths = np.array([len(tokens) for tokens in states], np.int64)
    mask = np.arange(lengths.max(initial=1)) < lengths[:, None]  # (C, L)
    return Texts(pooled, mask, np.concatenate(states))


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
    """Names of the latent's dimensions, where they have any."""
    model: str = ""
    """What `--model` takes for the encoders that made it; empty for arrays."""
    space: LatentSpace | None = None
    """Of the latents, where they are an encoder's."""

    @cached_property
    def reader(self) -> PromptReader:
        """The text encoder that read the captions, for more of them."""
        if self.model in ("", "builtin"):
            return minilm()
        reader: PromptReader = load(self.model, "cpu").text
        return reader

    @property
    def means(self) -> Array:
        """Time-means (R, D)."""
        return np.stack([track.mean(0) for track in self.latents])

    def held_out(self, part: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which tracks (R,) and which items (I,) are held out when `part` is.

        Raises:
            UsageError: if there is no such part.
        """
        _, out = self.splits.fold(part)
        tracks = np.isin(np.array(self.tracks), np.array(out))
        return tracks, tracks[self.track_of]

    def correct(self, items: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(Q, R), True where a track was described in exactly the words of the item."""
        wanted = np.zeros((len(self.captions), len(self.tracks)), np.bool_)
        wanted[self.caption_of, self.track_of] = True
        return wanted[self.caption_of[items]]


def read_corpus(data: DataConfig, reader: PromptReader | None = None) -> Corpus:
    """Read what a configuration names.

    Raises:
        UsageError, DatasetError: if it is not there, or not what it says.
    """
    path = resolved(data.path)
    if path.is_dir():
        found = read_extracted(path)
        texts = Texts(found.pooled, found.mask, found.tokens)
        rows = {item.track: item.row for item in reversed(found.dataset.items)}
        latents = [
            found.latents[rows[track] or 0].astype(np.float32) for track in found.dataset.tracks
        ]
        corpus = _corpus(data, found.dataset, latents, found.captions, texts)
        return replace(corpus, model=found.model, space=found.space)
    dataset = read(path, form="arrays")
    assert dataset.arrays is not None  # noqa: S101 (arrays have arrays)
    captions = tuple(dict.fromkeys(item.caption for item in dataset.items))
    stored = dataset.arrays.reshape(len(dataset.arrays), -1, dataset.arrays.shape[-1])
    gallery = [stored[row] for row in dataset.gallery_rows()]
    return _corpus(data, dataset, gallery, captions, embed(captions, reader))


def _corpus(
    data: DataConfig,
    dataset: Dataset,
    latents: Sequence[Array],
    captions: Sequence[str],
    texts: Texts,
) -> Corpus:
    column = {track: i for i, track in enumerate(dataset.tracks)}
    number = {caption: i for i, caption in enumerate(captions)}
    if data.held_out:
        splits = Splits.given(dataset)
        splits.fold(data.held_out)
    else:
        splits = Splits.folds(dataset, data.folds, data.split_seed)
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
