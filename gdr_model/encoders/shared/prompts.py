"""What text encoders have in common: prompts are read one by one, the most recent are kept.

Alone, a prompt's embedding does not depend on its batch-mates, down to the last bit. "No words" is
no token: a mask that is all False, for which every denoiser has learned a null of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from gdr_model.types import Array, TextEmbedding

MAX_TOKENS = 77
"""As the method's authors read prompts."""
CACHED = 256


@dataclass
class PromptReader:
    """A text encoder made of a function that reads one prompt."""

    read: Callable[[str], tuple[Array, Array]]
    """A prompt to the states (L, E) of its tokens and its pooled vector (P,)."""
    width: int
    pooled_width: int
    max_tokens: int = MAX_TOKENS
    _recent: OrderedDict[str, tuple[Array, Array]] = field(default_factory=OrderedDict, repr=False)

    def embed(self, texts: Sequence[str]) -> TextEmbedding:
        """Prompts (B) to states (B, max_tokens, E), mask and pooled (B, P)."""
        states = np.zeros((len(texts), self.max_tokens, self.width), np.float32)
        mask = np.zeros((len(texts), self.max_tokens), np.bool_)
        pooled = np.zeros((len(texts), self.pooled_width), np.float32)
        for row, text in enumerate(texts):
            if text.strip():
                tokens, pooled[row] = self._known(text)
                states[row, : len(tokens)] = tokens
                mask[row, : len(tokens)] = True
        return TextEmbedding(states, mask, pooled)

    def _known(self, text: str) -> tuple[Array, Array]:
        known = self._recent.get(text)
        if known is None:
            known = self._recent[text] = self.read(text)
            while len(self._recent) > CACHED:
                self._recent.popitem(last=False)
        self._recent.move_to_end(text)
        return known
