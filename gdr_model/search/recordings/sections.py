"""Which section of its file a passage belongs to."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from gdr_model.store.records import Passages
from gdr_model.types import Track


def sections_of(passages: Passages, tracks: Mapping[str, Sequence[Track]]) -> list[int]:
    """The section that holds the middle of each passage, from 1; 0 where its files have none."""
    starts = {
        content: [section.start_s for section in track.sections]
        for content, same in tracks.items()
        for track in same
        if track.sections
    }
    if not starts:
        return [0] * len(passages.contents)
    middles = ((passages.starts_s + passages.ends_s) / 2).tolist()
    return [
        bisect_right(starts.get(content, ()), middle)
        for content, middle in zip(passages.contents, middles, strict=True)
    ]
