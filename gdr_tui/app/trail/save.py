"""A trail as it is saved in a file. Free of Textual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gdr_tui.app.trail.trail import Trail

if TYPE_CHECKING:
    from gdr_model.notebook.saved_trails import SavedTrail
    from gdr_tui.app.values import Prints


def saved(trail: Trail, prints: Prints, k: int) -> SavedTrail:
    """Every query that is not hidden, in the order they were asked."""
    from gdr_model.notebook.saved_trails import SavedQuery, SavedTrail  # decoders come with it

    shown = []
    for node in sorted(trail.nodes(), key=lambda n: n.number):
        if not any(step.away for step in node.line()):
            shown.append(node)
    queries = tuple(
        SavedQuery(
            node.number,
            node.parent.number if node.parent else None,
            node.ask.steering,
            node.ask.where,
            node.name,
            node.ask.limits,
        )
        for node in shown
    )
    stands_on = trail.current.number if trail.current else None
    return SavedTrail(queries, prints.model, prints.libraries, k, stands_on)
