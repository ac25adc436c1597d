"""What the row under the prompt suggests: how to type, or which moves help next.

The moves are in the order in which they help to find a track (`gdr eval session`;
training/README.md, Sessions): choosing the nearest result, then the next nearest of the same list,
then one more word. Likes, bans and playing add nothing to choices, negatives and sliders make the
search longer; so they are not suggested here. An edit of the nearest comes last: what it adds to
choices has not been measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from gdr_model.evidence import Evidence
from gdr_tui.app import keymap
from gdr_tui.app.trail.trail import Node

Parts = tuple[str, ...]
"""In the order of importance; what does not fit is left out from the end."""


class Moment(Enum):
    """Where the user is in a search."""

    TYPING = auto()
    """Before the first query, or in the prompt."""
    LISTED = auto()
    """Results are listed, and nothing has been done with them."""
    CHOSEN = auto()
    """A result was chosen as the nearest, and not asked with yet."""


class RowHints:
    """The suggestions, with the user's own keys."""

    def __init__(self, chosen: Mapping[str, str]) -> None:
        """`chosen` holds the user's valid keys by the ids of their actions."""
        nearest, ask, word, edit = (
            keymap.used(id, chosen).split(" ")[0]
            for id in ("track.nearest", "search.draw", "search.word", "track.edit")
        )
        self._parts: Mapping[Moment, Parts] = {
            Moment.TYPING: (
                "in the prompt: genre:jazz", "year:1990..1999", "-vocals", "+strings:0.5",
            ),
            Moment.LISTED: (
                f"next: {nearest} on the nearest, then {ask}", f"{word} one more word",
                f"{edit} edit the nearest",
            ),
            Moment.CHOSEN: (f"{ask} learns from it", f"{nearest} on the next nearest"),
        }  # fmt: skip

    def at(self, node: Node | None, evidence: Sequence[Evidence], *, typing: bool) -> Parts:
        """What to suggest where `evidence` is drafted after the query that is listed."""
        if node is None or not node.results.hits or typing:
            return self._parts[Moment.TYPING]
        chosen = set(evidence) - set(node.ask.steering.evidence)
        return self._parts[Moment.CHOSEN if chosen else Moment.LISTED]
