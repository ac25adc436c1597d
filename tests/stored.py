"""What a library has stored, read for tests."""

from __future__ import annotations

from gdr_model.store.records import Passages
from gdr_model.types import Array


def means_of(passages: Passages) -> Array:
    """The mean latent (N, D) of every passage; checksums are compared."""
    return passages.read_means(passages.mean_rows, True)
