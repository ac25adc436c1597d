"""The list of a query with one line for each recording, and for each section of one.

Shapes: R tracks, D latent width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gdr_model.limits import NO_LIMITS, Allowance, Limits
from gdr_model.search import nearest
from gdr_model.search.nearest import Entered, FoundPassage, OpenLibrary, RankedTrack, Ranking
from gdr_model.search.recordings.copies import Copies
from gdr_model.search.recordings.preference import preference
from gdr_model.search.recordings.votes import count_votes
from gdr_model.types import Array, Query, Section, Track


def points(ranked: Sequence[RankedTrack]) -> Array:
    """The vectors (R, D) of the passages that tracks were ranked by, library by library."""
    rows: dict[int, list[RankedTrack]] = {}
    for track in ranked:
        rows.setdefault(id(track.library), []).append(track)
    vectors = [own[0].library.index.vectors[[track.row for track in own]] for own in rows.values()]
    return np.concatenate(vectors) if vectors else np.empty((0, 0), np.float32)


def listed(
    query: Query,
    libraries: Sequence[OpenLibrary],
    share: float,
    copies: Copies,
    where: str | None = None,
    k: int | None = None,
    limits: Limits = NO_LIMITS,
) -> Ranking:
    """Rank the recordings of all libraries together, each under the best of its files.

    A recording is ranked by the passages of that file, so what copies there are changes no order.
    One that is `left_out` does not compete, nor does any copy of it.

    Args:
        query: the points to rank by.
        libraries: whose tracks compete.
        share: the anchor's (see `nearest.fuse`).
        copies: the recordings of the libraries.
        where: a filter (see `store.filters`).
        k: how many recordings to return; None ranks all that compete.
        limits: how many of an artist or an album there can be.

    Raises:
        UsageError: if the filter cannot be read.
    """
    left_out = nearest.left_out(query.steering, libraries)
    left_out = {content for one in left_out for content in copies.group(one)}
    entered = nearest.enter(libraries, where, left_out)
    wanted = k and 3 * k  # copies, and what the limits leave out, are passed over
    while True:
        scored = nearest.score(query, entered, share, wanted, by_section=True)
        lines = list(_lines(scored.found, entered, copies, limits, k))
        if scored.complete or k is None or len(lines) == k:
            break
        wanted = 4 * (wanted or k)
    folded = {copy.content for _, same in lines for copy in same[1:]}
    kept = {same[0].content for _, same in lines}
    votes = count_votes(scored.scored, k, folded - kept)
    ranked = [
        RankedTrack(
            same[0], found.score, votes.get(found.content, 0), found.library, found.row,
            tuple(same[1:]),
        )
        for found, same in lines
    ]  # fmt: skip
    return Ranking(tuple(ranked), entered.competing, entered.filtered, entered.banned)


def _lines(
    found: Sequence[FoundPassage],
    entered: Entered,
    copies: Copies,
    limits: Limits,
    k: int | None,
) -> Iterator[tuple[FoundPassage, list[Track]]]:
    """The best passage of each recording with its files, the best first; k at most."""
    left = Allowance(limits)
    seen: set[tuple[str, Section | None]] = set()
    lines = 0
    for one in found:
        if lines == k:
            break
        group = copies.group(one.content)
        files = {  # by their paths, because libraries can be inside one another
            track.path: track
            for _, tracks in entered.tracks
            for same in tracks.of(group).values()
            for track in same
        }
        best, *others = sorted(files.values(), key=preference)
        section = best.section(one.middle_s)
        if best.content != one.content or (one.content, section) in seen:
            continue
        seen.add((one.content, section))
        if left.take(best, (section.artist if section else "") or best.artist):
            lines += 1
            yield one, [best, *others]
