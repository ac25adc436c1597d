"""What an empty list of results says: why it is empty, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from gdr_model.types import Results
from gdr_tui.app.trail.trail import Node
from gdr_tui.app.values import Catalogue
from gdr_tui.safe_text import counted, literal


def nothing_yet(catalogue: Catalogue) -> tuple[str, ...]:
    """What to do when there is no track to list."""
    if not catalogue.roots:
        return ("no music yet", "", "press Esc, then o, and type the path of a music folder")
    return ("no tracks yet", "", "they appear here as the folder is indexed")


def nothing_found(node: Node, counts: Mapping[str, int] | None = None) -> tuple[str, ...]:
    """Why a query found nothing.

    `counts` are the tracks that match each condition of the filter on its own, if known.
    """
    if node.stale:
        return ("a query from an earlier session; searching again …",)
    results, where = node.results, node.ask.where
    if results.tracks_searched:
        return ("nothing found", "", "no track has audio that can be searched")
    left = counted(results.banned, "track")
    if results.banned and where:
        return (
            f"the filter leaves {left}, and {'it is' if results.banned == 1 else 'all are'} banned",
            f"filter: {literal(where)}",
            *_each(counts),
            "",
            "x removes the last chip · f changes the filter · u goes back",
        )
    if results.banned:
        return (
            f"{'the only track' if results.banned == 1 else f'all {left}'} of the library "
            f"{'is' if results.banned == 1 else 'are'} banned",
            "",
            "x removes the last chip · u goes back",
        )
    if where and results.filtered:
        return (
            f"the filter excluded every track: {literal(where)}",
            *(_each(counts) or (f"none of {counted(results.filtered, 'track')} matches it",)),
            "",
            "f changes it · x removes the last chip",
        )
    return ("nothing found", "", "the library is still empty; results appear as it is indexed")


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
