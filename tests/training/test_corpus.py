"""Captions as a run reads them: embedded once, without padding, found again by row."""

from __future__ import annotations

import numpy as np

from training.data.texts import embed, shipped_reader

CAPTIONS = ["warm solo piano", "drums", "a fast and dark techno track with a deep bass", "choir"]


def test_captions_are_read_as_a_search_reads_prompts() -> None:
    texts = embed(CAPTIONS)
    wanted = shipped_reader().embed(CAPTIONS)
    found = texts.of(np.array([2, 0, 3, 1]))
    for row, caption in enumerate((2, 0, 3, 1)):
        tokens = wanted.states[caption][wanted.mask[caption]]
        np.testing.assert_allclose(found.states[row][found.mask[row]], tokens, atol=2e-3)
        np.testing.assert_allclose(found.pooled[row], wanted.pooled[caption], atol=1e-5)
    assert texts.mask.shape == (4, wanted.mask.sum(1).max())
    assert len(texts.tokens) == texts.mask.sum()


def test_more_captions_go_behind_the_first() -> None:
    both = embed(CAPTIONS[:2]).and_(embed(CAPTIONS[2:]))
    whole, rows = embed(CAPTIONS), np.arange(4)
    np.testing.assert_array_equal(both.mask, whole.mask)
    np.testing.assert_allclose(both.of(rows).states, whole.of(rows).states, atol=2e-3)
    np.testing.assert_allclose(both.pooled, whole.pooled, atol=1e-5)
