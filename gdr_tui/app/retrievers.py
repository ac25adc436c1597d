"""The model, the libraries and the retriever over both, as a session gives them to its parts."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from gdr_model.types import Cancel

if TYPE_CHECKING:
    from gdr_model.models.checkpoint import Model
    from gdr_model.search.retriever import Retriever
    from gdr_model.store.library import Library


class Retrievers(Protocol):
    """Answers queries; safe from any thread."""

    def model(self) -> Model:
        """The model.

        Raises:
            ModelError: while it is loading.
        """

    def newest(self) -> Model:
        """The model that libraries are indexed with, whether or not it answers yet.

        Raises:
            ModelError: while it is loading.
        """

    def known(self) -> list[Library]:
        """The libraries of all folders that were ever indexed."""

    def generations(self) -> list[int]:
        """A number for every library, which changes whenever any program changes the library."""

    def retriever(self) -> AbstractContextManager[Retriever]:
        """The retriever over every library, held by one thread at a time."""

    def drawing(self) -> AbstractContextManager[Retriever]:
        """The same, with indexing paused meanwhile."""

    def wait_for_queries(self, cancelled: Cancel) -> None:
        """Block while a query is being drawn."""
