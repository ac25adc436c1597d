"""Which section of its file a passage belongs to."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from gdr_model.store.library import Library
from gdr_model.store.records import Passages


def sections_of(library: Library, passages: Passages) -> NDArray[np.int64]:
    """The section that holds the middle of each passage, from 1; 0 where its files have none."""
    sections = np.zeros(len(passages.ids), np.int64)
    starts = library.sections()
    codes = passages.contents.codes_of(list(starts))
    of_code = dict(zip(codes.tolist(), starts.values(), strict=True))
    rows = np.flatnonzero(np.isin(passages.contents.codes, codes))
    middles = ((passages.starts_s[rows] + passages.ends_s[rows]) / 2).tolist()
    found = passages.contents.codes[rows].tolist()
    for row, code, middle in zip(rows.tolist(), found, middles, strict=True):
        sections[row] = bisect_right(of_code[code], middle)
    return sections
