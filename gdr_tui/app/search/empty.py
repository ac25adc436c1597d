"""What stands in the list when nothing is in it: why, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from gdr_model.types import Results
from gdr_tui.app.trail.trail import Node
from gdr_tui.app.values import Catalogue
from gdr_tui.safe_text import literal


def nothing_yet(catalogue: Catalogue) -> tuple[str, ...]:
    """What to do when no track can be listed."""
    if not catalogue.roots:
        return ("no music yet", "", "press Esc, then o, and type the path of a music folder")
    return ("no tracks yet", "", "they appear here while the folder is indexed")


def nothing_found(node: Node, counts: Mapping[str, int] | None = None) -> tuple[str, ...]:
    """Why a query found nothing.

    `counts` are the tracks that each condition of the filter lets through by itself, if known.
    """
    if node.stale:
        return ("a query of an earlier sitting; it is drawn again",)
    found, where = node.results, node.ask.where
    if found.tracks_searched:
        return ("nothing found", "", "the tracks have no sound that could be compared")
    left = _tracks(found.banned)
    if found.banned and where:
        return (
            f"the filter leaves {left}, and {'it is' if found.banned == 1 else 'all are'} banned",
            f"filter: {literal(where)}",
            *_each(counts),
            "",
            "x takes the last chip away · f changes the filter · u goes back",
        )
    if found.banned:
        return (
            f"{'the only track' if found.banned == 1 else f'all {left}'} of the library "
            f"{'is' if found.banned == 1 else 'are'} banned",
            "",
            "x takes the last chip away · u goes back",
        )
    if where and found.filtered:
        return (
            f"the filter excluded every track: {literal(where)}",
            *(_each(counts) or (f"none of {_tracks(found.filtered)} meets it",)),
            "",
            "f changes it · x takes the last chip away",
        )
    return ("nothing found", "", "the library is still empty; results appear while it is indexed")


def is_filtered(results: Results) -> bool:
    """Whether a filter has to do with there being no results."""
    return not results.hits and results.filtered > 0


def _each(counts: Mapping[str, int] | None) -> tuple[str, ...]:
    """What each of several conditions lets through by itself."""
    if not counts or len(counts) < 2:
        return ()
    lines = [f"{literal(part)}: {_tracks(count)} by itself" for part, count in counts.items()]
    return ("", *lines)


def _tracks(count: int) -> str:
    return f"{count:,} track{'s' * (count != 1)}"
