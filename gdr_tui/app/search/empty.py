"""What an empty list of results says: why it is empty, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from gdr_model.types import Results
from gdr_tui.app.trail.trail import Ask
from gdr_tui.app.values import Catalogue
from gdr_tui.safe_text import counted, literal


def nothing_yet(catalogue: Catalogue) -> tuple[str, ...]:
    """What to do when there is no track to list."""
    if not catalogue.roots:
        return ("no music yet", "", "press Esc, then o, and type the path of a music folder")
    return ("no tracks yet", "", "they appear here as the folder is indexed")


SEARCHING_AGAIN = ("a query from an earlier session; searching again …",)


def nothing_found(
    ask: Ask, results: Results, counts: Mapping[str, int] | None = None
) -> tuple[str, ...]:
    """Why a query found nothing.

    `counts` are the tracks that match each condition of the filter on its own, if known.
    """
    where = ask.where
    if results.tracks_searched:
        return ("nothing found", "", "no track has audio that can be searched")
    if results.banned:
        filtered = (f"filter: {literal(where)}", *_each(counts)) if where else ()
        changes = "f changes the filter · " if where else ""
        return (
            _left_out(results, where),
            *filtered,
            "",
            f"x removes the last chip · {changes}u goes back",
        )
    if where and results.filtered:
        return (
            f"the filter excluded every track: {literal(where)}",
            *(_each(counts) or (f"none of {counted(results.filtered, 'track')} matches it",)),
            "",
            "f changes it · x removes the last chip",
        )
    return ("nothing found", "", "the library is still empty; results appear as it is indexed")


def _left_out(results: Results, where: str) -> str:
    """Which likes or bans leave nothing."""
    steering, left = results.query.steering, counted(results.banned, "track")
    if not steering.worded:
        judged = "liked or banned" if steering.dislikes else "liked"
        leaves = "the filter leaves" if where else "the library has"
        return f"{leaves} nothing but what is {judged}"
    one = results.banned == 1
    if where:
        return f"the filter leaves {left}, and {'it is' if one else 'all are'} banned"
    tracks = "the only track" if one else f"all {left}"
    return f"{tracks} of the library {'is' if one else 'are'} banned"


def is_filtered(results: Results) -> bool:
    """Whether a filter is a reason for there being no results."""
    return not results.hits and results.filtered > 0


def _each(counts: Mapping[str, int] | None) -> tuple[str, ...]:
    """The number of tracks that match each of several conditions."""
    if not counts or len(counts) < 2:
        return ()
    lines = [
        f"{literal(part)}: {counted(count, 'track')} on its own" for part, count in counts.items()
    ]
    return ("", *lines)
