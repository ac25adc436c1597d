"""Rare sounds weigh more, within bounds."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.types import Array
from recipes.builtin.corpus.rarity import LEAST, MOST, rarity
from training.words.teacher import CLASSES, MUSIC, VOICE

PIANO, SITAR = MUSIC.start + 1, MUSIC.start + 2
SINGING, DOG = VOICE.start, 0
"""A class outside music and voice says nothing."""


def collection(**classes: tuple[int, list[int]]) -> Array:
    """Sixty tracks alike, but for the classes that some of them have."""
    logits = np.full((60, CLASSES), -6.0, np.float32)
    for number, tracks in classes.values():
        logits[tracks, number] = 2.0
    return logits


def test_the_fewer_tracks_have_a_class_the_more_they_weigh() -> None:
    weights = rarity(collection(piano=(PIANO, list(range(8))), sitar=(SITAR, [20, 21])))
    assert weights[20] == weights[21] > weights[0] == weights[7] > weights[40]
    # By the root of their share among all tracks, with one added to each.
    assert weights[20] / weights[0] == pytest.approx(np.sqrt((8 + 1) / (2 + 1)), rel=1e-3)
    assert weights[40] == pytest.approx(LEAST)  # nothing remarkable in it


def test_of_several_classes_the_rarest_counts() -> None:
    both = rarity(collection(piano=(PIANO, list(range(8))), sitar=(SITAR, [0, 21])))
    assert both[0] == both[21] > both[1]


def test_voices_count_and_other_sounds_do_not() -> None:
    still = np.full((60, CLASSES), -6.0, np.float32)
    sung, barked = still.copy(), still.copy()
    sung[5, SINGING] = barked[5, DOG] = 2.0
    assert rarity(sung)[5] > rarity(sung)[6]
    assert rarity(barked)[5] == rarity(barked)[6]


def test_weights_stay_within_bounds() -> None:
    weights = rarity(np.random.default_rng(1).normal(-5, 2, (200, CLASSES)).astype(np.float32))
    assert weights.shape == (200,)
    assert weights.dtype == np.float32
    assert LEAST <= weights.min() <= weights.max() <= MOST
    assert np.median(weights) == pytest.approx(1, abs=0.3)


def test_a_collection_without_differences_is_weighed_evenly() -> None:
    weights = rarity(np.full((5, CLASSES), -5.0, np.float32))
    np.testing.assert_allclose(weights, weights[0])
