"""What can be said of results beyond their list: why, in which interpretations, and why none.

A part of the session, free of Textual and safe from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gdr_model.types import Cancel, Hit, Interpretation, Query, Results, Why, never

if TYPE_CHECKING:
    from gdr_model.models.checkpoint import Model
    from gdr_model.search.lexicon import Lexicon
    from gdr_model.search.retriever import Retriever
    from gdr_model.store.library import Library


class Insight:
    """Asks the model about its own answers."""

    def __init__(self) -> None:
        self._answering = threading.Lock()
        """One query or refresh at a time: they share the index."""
        self._undisturbed = threading.Event()
        """No query is being drawn, so indexing may take the processor."""
        self._undisturbed.set()
        self._reading = threading.Lock()
        self._lexicon: Lexicon | None = None

    @property
    def words(self) -> Sequence[str]:
        """Words that speak of music, to complete prompts with and to name points by."""
        from gdr_model.search import vocabulary

        return vocabulary.WORDS

    def explain(self, query: Query, hit: Hit, cancelled: Cancel = never) -> Why:
        """Take the score of a hit apart; costs some draws the first time.

        Raises:
            LibraryError: if the hit is not in the libraries any more.
        """
        from gdr_model.search import why

        lexicon = self._words_read()
        with self._answering:
            self._undisturbed.clear()
            try:
                return why.explain(self._retrieve(), query, hit, lexicon, cancelled)
            finally:
                self._undisturbed.set()

    @property
    def knows_words(self) -> bool:
        """Whether interpretations can be named at once."""
        return self._lexicon is not None

    def interpretations(
        self, results: Results, k: int, where: str = "", *, named: bool = True
    ) -> tuple[Interpretation, ...]:
        """The interpretations of a query, largest first; none where its draws agree.

        Naming them by words takes some seconds the first time.
        """
        from gdr_model.search import clusters, interpretations

        if clusters.split(results.query.vectors) is None:
            return ()
        lexicon = self._words_read() if named else None
        with self._answering:
            return interpretations.interpretations(
                self._retrieve(), results, k, where or None, lexicon
            )

    def counts(self, parts: Sequence[str]) -> dict[str, int]:
        """How many tracks each of some filters lets through by itself.

        Raises:
            UsageError: naming what cannot be read in one.
        """
        libraries = self._known()
        return {part: sum(len(one.tracks(part)) for one in libraries) for part in parts}

    def _words_read(self) -> Lexicon | None:
        """The vocabulary as the model reads it; None where its words and sound share no space.

        Read once, some seconds, and to the end: whoever asks next needs it, too.
        """
        from gdr_model.search.lexicon import Lexicon

        model = self._needed_model()
        with self._reading:
            if self._lexicon is None and (model.retrieving or model.config.pair.shared):
                self._lexicon = Lexicon.read(model, self.words)
            return self._lexicon

    # What the session has

    def _retrieve(self) -> Retriever:
        """The retriever over every library."""
        raise NotImplementedError

    def _needed_model(self) -> Model:
        """The model, once it is loaded."""
        raise NotImplementedError

    def _known(self) -> list[Library]:
        """The libraries of the folders that were ever indexed."""
        raise NotImplementedError
