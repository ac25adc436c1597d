"""Vectors that are rounded on disk answer as the exact ones do."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.search.indexed.vectors import Vectors, rounded
from gdr_model.search.whitening import unit

RANDOM = np.random.default_rng(5)
EXACT = unit(RANDOM.standard_normal((5000, 4)).astype(np.float32))
BLOCKS = {
    "floats": [EXACT],
    "rounded": [rounded(EXACT)],
    "what is new is a block of its own": [rounded(EXACT[:3000]), EXACT[3000:3001], EXACT[3001:]],
}


@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS)
def test_which_rows_are_near_is_decided_exactly_and_in_the_order_asked(blocks):
    vectors = Vectors(blocks, 4, lambda rows, _checked: EXACT[rows])
    rows = RANDOM.permutation(5000)[:4000]
    cosines = EXACT[rows] @ EXACT[7]
    # Between two cosines that are as close as rounding can bring them, and at the ends.
    close = np.sort(cosines)
    bounds = [(close[at] + close[at + 1]) / 2 for at in (0, 1500, 3990)]
    for bound in [-2.0, *bounds, 2.0]:
        near = vectors.at_least(float(bound), EXACT[7], rows)
        wrong = rows[near != (cosines >= bound)]
        assert np.abs(EXACT[wrong] @ EXACT[7] - bound).max(initial=0) < 1e-6
        assert near.sum() == pytest.approx((cosines >= bound).sum(), abs=2)
