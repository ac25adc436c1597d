"""How every text encoder reads prompts: a tokenizer, a network, and a cache of the recent ones.

A prompt is read without padding, so its embedding does not depend on the prompts next to it. "No
words" is no token: a mask that is all False, for which every denoiser has learned a null.

An encoder of whole sentences has one state for a prompt, its vector, whatever its number of tokens.

Shapes: B prompts, L tokens, E width of a token's state, P width of a prompt's pooled vector.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from gdr_model.types import Array, TextEmbedding

MAX_TOKENS = 77
"""The limit of the method's authors."""
CACHED_PROMPTS = 256
BATCH = 64
"""Prompts of equal length that `read_all` gives to the network at once."""

Read = tuple[Array, Array]
"""States (L, E) and pooled vector (P,) of one prompt."""


@dataclass
class PromptReader:
    """A text encoder."""

    tokenize: Callable[[str], list[int]]
    """A prompt to its token ids."""
    network: Callable[[Tensor], tuple[Array, Array]]
    """Token ids (B, L), on the CPU, to states (B, L, E) and pooled vectors (B, P)."""
    width: int
    pooled_width: int
    max_tokens: int = MAX_TOKENS
    """States of a prompt at most."""
    _recent: OrderedDict[str, Read] = field(default_factory=OrderedDict, init=False, repr=False)

    def embed(self, texts: Sequence[str]) -> TextEmbedding:
        """Prompts (B) to states (B, max_tokens, E), mask and pooled (B, P).

        Each is read alone: its embedding is the same to the last bit in any company.
        """
        states = np.zeros((len(texts), self.max_tokens, self.width), np.float32)
        mask = np.zeros((len(texts), self.max_tokens), np.bool_)
        pooled = np.zeros((len(texts), self.pooled_width), np.float32)
        for row, text in enumerate(texts):
            if text.strip():
                tokens, pooled[row] = self._read(text)
                states[row, : len(tokens)] = tokens
                mask[row, : len(tokens)] = True
        return TextEmbedding(states, mask, pooled)

    def read_all(self, texts: Sequence[str]) -> Iterator[tuple[int, Read]]:
        """Each prompt's row and what `embed` would read, the shortest prompts first.

        For many prompts: those with equally many tokens share a batch, which is several times
        faster. Products of other sizes round differently, so values may differ from those of
        `embed` in the sixth digit. Nothing is cached.
        """
        ids = [self.tokenize(text) if text.strip() else [] for text in texts]
        rows = sorted(range(len(ids)), key=lambda row: len(ids[row]))
        for length, equally_long in groupby(rows, key=lambda row: len(ids[row])):
            group = list(equally_long)
            for first in range(0, len(group), BATCH):
                batch = group[first : first + BATCH]
                if not length:
                    states = np.zeros((len(batch), 0, self.width), np.float32)
                    pooled = np.zeros((len(batch), self.pooled_width), np.float32)
                else:
                    states, pooled = self._run([ids[row] for row in batch])
                yield from zip(batch, zip(states, pooled, strict=True), strict=True)

    def _read(self, text: str) -> Read:
        recent = self._recent.get(text)
        if recent is None:
            states, pooled = self._run([self.tokenize(text)])
            recent = self._recent[text] = states[0], pooled[0]
            while len(self._recent) > CACHED_PROMPTS:
                self._recent.popitem(last=False)
        self._recent.move_to_end(text)
        return recent

    def _run(self, ids: list[list[int]]) -> tuple[Array, Array]:
        with torch.inference_mode():
            return self.network(torch.tensor(ids))


def array(tensor: Tensor) -> Array:
    """A network's output as numpy has it: single precision, on the CPU."""
    values: Array = tensor.float().cpu().numpy()
    return values
