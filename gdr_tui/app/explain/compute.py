"""The session's part for explanations: why a track was found, and the interpretations of a prompt.

Free of Textual and safe from any thread.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gdr_model.explanation import Interpretation, Why
from gdr_model.limits import NO_LIMITS, Limits
from gdr_model.types import Cancel, Hit, Query, Results, never
from gdr_tui.app.retrievers import Retrievers

if TYPE_CHECKING:
    from gdr_model.models.checkpoint import Model
    from gdr_model.search.lexicon import Lexicon


class Explainer:
    """Asks the model about its own answers."""

    def __init__(self, retrievers: Retrievers) -> None:
        self._retrievers = retrievers
        self._embedding = threading.Lock()
        """One thread embeds the vocabulary."""
        self._lexicon: Lexicon | None = None
        self._embedded_by: Model | None = None

    def explain(self, query: Query, hit: Hit, cancelled: Cancel = never) -> Why:
        """Take the score of a hit apart; costs some draws the first time.

        Raises:
            LibraryError: if the hit is not in the libraries any more.
        """
        from gdr_model.search import why

        lexicon = self._vocabulary()
        with self._retrievers.drawing() as retriever:
            return why.explain(retriever, query, hit, lexicon, cancelled)

    @property
    def knows_words(self) -> bool:
        """Whether interpretations can be named at once."""
        return self._embedded_by is self._retrievers.model()

    def interpretations(
        self,
        results: Results,
        k: int,
        where: str = "",
        limits: Limits = NO_LIMITS,
        *,
        named: bool = True,
    ) -> tuple[Interpretation, ...]:
        """The interpretations of a query, largest first; none where its draws agree.

        Naming them takes some seconds the first time.
        """
        from gdr_model.search import clusters, interpretations

        if clusters.split(results.query.vectors) is None:
            return ()
        lexicon = self._vocabulary() if named else None
        with self._retrievers.retriever() as retriever:
            return interpretations.interpretations(
                retriever, results, k, where or None, lexicon, limits
            )

    def _vocabulary(self) -> Lexicon | None:
        """The words the model can name points by; None where text and sound share no space.

        Embedded once, in some seconds, and never cancelled: the next caller needs it too.
        """
        from gdr_model.search import vocabulary
        from gdr_model.search.lexicon import Lexicon

        model = self._retrievers.model()
        with self._embedding:
            if self._embedded_by is not model:
                has_words = model.networks or model.config.pair.shared
                self._lexicon = Lexicon.read(model, vocabulary.WORDS) if has_words else None
                self._embedded_by = model
            return self._lexicon
