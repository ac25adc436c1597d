"""Captions read once by a text encoder.

The token states are kept in half precision, one caption after the other and without padding, so
that a large set fits in memory or in a memory-mapped file. Shapes: C captions, L text tokens of
the longest, M tokens of all captions, E text width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from gdr_model.encoders.registry.pairs import OWN_TEXT
from gdr_model.encoders.registry.resolve import installed
from gdr_model.models.config import ModelConfig
from gdr_model.types import Array, TextEmbedding, TextEncoder

Rows = NDArray[np.int64]
Half = NDArray[np.float16]


@dataclass(frozen=True)
class Texts:
    """Embedded captions."""

    pooled: Array  # (C, E)
    mask: NDArray[np.bool_] = field(repr=False)  # (C, L)
    tokens: Half = field(repr=False)  # (M, E)

    @cached_property
    def _ends(self) -> Rows:
        return np.cumsum(self.mask.sum(axis=1))

    def of(self, rows: Sequence[int] | Rows, states: bool = True) -> TextEmbedding:
        """The embedding of some captions; without `states`, one empty token each."""
        rows = np.asarray(rows, np.int64)
        pooled = self.pooled[rows]
        if not states:
            empty = np.zeros((len(rows), 1, pooled.shape[1]), np.float32)
            return TextEmbedding(empty, np.ones((len(rows), 1), np.bool_), pooled)
        mask = self.mask[rows]
        padded = np.zeros((*mask.shape, self.tokens.shape[1]), np.float32)
        for into, keep, end in zip(padded, mask, self._ends[rows], strict=True):
            into[keep] = self.tokens[end - keep.sum() : end]
        return TextEmbedding(padded, mask, pooled)

    @classmethod
    def of_pooled(cls, pooled: Array, width: int) -> Texts:
        """Pooled text (C, E) with one empty token of a width each."""
        tokens = np.zeros((len(pooled), width), np.float16)
        return cls(pooled, np.ones((len(pooled), 1), np.bool_), tokens)

    def and_(self, more: Texts) -> Texts:
        """These captions followed by others."""
        return Texts(
            np.concatenate([self.pooled, more.pooled]),
            joined_masks([self.mask, more.mask]),
            np.concatenate([self.tokens, more.tokens]),
        )


def joined_masks(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Masks (C, L) one below the other; narrower ones are padded with "no token"."""
    length = max(mask.shape[1] for mask in masks)
    return np.concatenate([np.pad(m, ((0, 0), (0, length - m.shape[1]))) for m in masks])


@cache
def load_reader(name: str) -> TextEncoder:
    """One of gdr's own text encoders (`OWN_TEXT`), loaded once."""
    part = OWN_TEXT[name]
    return part.module().load_text(installed(part), torch.device("cpu"))


def shipped_reader() -> TextEncoder:
    """The text encoder of the built-in model."""
    return load_reader(ModelConfig.read().text_encoder)


def embed(
    captions: Sequence[str],
    reader: TextEncoder | None = None,
    on_read: Callable[[], None] = lambda: None,
) -> Texts:
    """Read captions, with the built-in model's text encoder unless another is given.

    `on_read` is called after each.
    """
    states: dict[int, Half] = {}
    pooled: dict[int, Array] = {}
    for row, (tokens, summary) in (reader or shipped_reader()).read_all(captions):
        states[row] = tokens.astype(np.float16)
        pooled[row] = summary
        on_read()
    rows = range(len(captions))
    lengths = np.array([len(states[row]) for row in rows], np.int64)
    mask = np.arange(lengths.max(initial=1)) < lengths[:, None]  # (C, L)
    tokens_of_all = np.concatenate([states[row] for row in rows])
    return Texts(np.stack([pooled[row] for row in rows]), mask, tokens_of_all)
