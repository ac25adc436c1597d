"""Words with their points in the search space, to describe in words what a point sounds like.

A word's point is the contrastive tower's, so a word and a passage are compared as a contrastive
query would compare them. Shapes: V words, D latent width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gdr_model.errors import Cancelled
from gdr_model.explanation import Near
from gdr_model.models.checkpoint import Model
from gdr_model.search import vocabulary
from gdr_model.types import Array, Cancel, never

_BATCH = 16
"""Words embedded between two polls of `cancelled`, some 100 ms."""


@dataclass(frozen=True)
class Lexicon:
    """Words, and the unit row of each."""

    words: tuple[str, ...]
    rows: Array  # (V, D)

    @classmethod
    def read(
        cls, model: Model, words: Iterable[str] = vocabulary.WORDS, cancelled: Cancel = never
    ) -> Lexicon:
        """Embed words with a model's text encoder; some seconds for the whole vocabulary.

        Raises:
            ModelError: if the model's words and sound share no space.
            Cancelled: when asked.
        """
        tower, unique = model.contrastive, tuple(dict.fromkeys(words))
        rows: list[Array] = []
        for start in range(0, len(unique), _BATCH):
            if cancelled():
                raise Cancelled("stopped while embedding words")
            batch = list(unique[start : start + _BATCH])
            pooled = torch.from_numpy(model.text.embed(batch).pooled)
            with torch.inference_mode():
                rows.append(tower(pooled.to(model.device)).cpu().numpy())
        rows.append(np.empty((0, model.space.dim), np.float32))
        return cls(unique, np.concatenate(rows))

    def nearest(self, point: Array, count: int = 6) -> Near:
        """The words nearest to a unit point (D,)."""
        return self._best(self.rows @ point, count)

    def apart(self, point: Array, others: Sequence[Array], count: int = 3) -> Near:
        """The words nearer to a unit point (D,) than to any of the others, and by how much.

        Words far from the point do not describe it, so only the nearest quarter competes.
        """
        cosines = self.rows @ point  # (V,)
        lead = cosines - np.max([self.rows @ other for other in others], axis=0)
        lead[cosines < np.quantile(cosines, 0.75)] = -np.inf
        return tuple((word, by) for word, by in self._best(lead, count) if by > 0)

    def _best(self, values: Array, count: int) -> Near:
        order = np.argsort(-values, kind="stable")[:count]
        return tuple((self.words[word], float(values[word])) for word in order)
