"""The search space: latents centred and partly whitened, compared by cosine.

Raw latents of different tracks have a mean cosine above .9, so what they share is removed
first; dividing by sd^power then makes the dimensions more equal. Full whitening (power 1) helps on
music like the training data and hurts outside it, so the power is part of the model.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gdr_model.types import Array


def unit(rows: Array) -> Array:
    """Rows (..., D) scaled to length one; a zero row stays zero."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12), dtype=np.float32)


@dataclass(frozen=True)
class Whitening:
    """Maps latents to the search space."""

    mean: Array  # (D,)
    sd: Array  # (D,)
    power: float

    @cached_property
    def fingerprint(self) -> str:
        """Equal only for whitenings under which an index stays valid."""
        digest = hashlib.sha256(self.mean.tobytes() + self.sd.tobytes())
        return f"{digest.hexdigest()[:16]}^{self.power:g}"

    def apply(self, latents: Array) -> Array:
        """Latents (..., D) to unit vectors (..., D) of the search space."""
        return unit((latents - self.mean) / self.sd**self.power)
