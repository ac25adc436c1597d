"""`gdr search --session`: draw the queries of a session file again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gdr_model.notebook.saved_trails import LibraryPrint, ModelPrint, SavedTrail
from gdr_model.types import Results
from gdr_tui.cli.diagnostics import say

if TYPE_CHECKING:
    from gdr_model.search.retriever import Retriever


def replay(
    saved: SavedTrail, retriever: Retriever, ids: Sequence[int], k: int | None
) -> list[Results]:
    """The answers to the queries of these numbers (all, where none is named), in order.

    What has changed since the session, so that the answers may be others, is said on stderr.

    Raises:
        UsageError: naming a number that the session does not have.
    """
    queries = saved.chosen(ids)
    model = ModelPrint.of(retriever.model.config)
    libraries = [LibraryPrint.of(opened.library) for opened in retriever.libraries]
    for difference in saved.differences(model, libraries):
        say(f"gdr: {difference}, so results may differ")
    wanted = saved.k if k is None else k
    return [retriever.search(query.steering, wanted, query.where or None) for query in queries]
