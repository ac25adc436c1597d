"""What a search needs of an index, wherever its passages are looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from gdr_model.search.indexed.graphs import Report
from gdr_model.search.indexed.vectors import Rows, Vectors
from gdr_model.search.whitening import Whitening
from gdr_model.store.records import Passages
from gdr_model.types import Array, Cancel, LatentSpace

if TYPE_CHECKING:
    from gdr_model.store.library import Library


class Index(Protocol):
    """The passages of one library in one search space; safe to use from several threads.

    Rows are positions in `passages` and `vectors`. A `refresh` can move them.
    """

    @property
    def passages(self) -> Passages:
        """What is indexed."""

    @property
    def vectors(self) -> Vectors:
        """One unit vector a passage."""

    @property
    def recordings(self) -> Vectors:
        """The mean of each content's passages; rows are those of its codes."""

    def refresh(self) -> int:
        """Pick up what is new and drop what is gone; returns how many passages are new."""

    def prepare(self, report: Report = ..., cancelled: Cancel = ..., threads: int = ...) -> None:
        """Do what makes searches faster; they are answered meanwhile, and it can be interrupted."""

    def search(
        self, queries: Array, k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Rows, Array]:
        """The k best rows of each query (Q, D) and their exact cosines, best first; ties by row."""


class Opener(Protocol):
    """Opens the index of a library."""

    def __call__(self, library: Library, space: LatentSpace, whitening: Whitening, /) -> Index:
        """The index of what a library holds now."""
