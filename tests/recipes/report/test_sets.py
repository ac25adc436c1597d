"""The sets that the built-in model is measured on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prepared import track

from gdr_model.models import checkpoint
from recipes.builtin.report import sets
from recipes.builtin.report.names import ABROAD, ALSO_ABROAD, GENRES, MOODS
from recipes.builtin.report.sets import (
    SHARE,
    Passage,
    by_class,
    cuts,
    latents_of,
)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(10, [(0, 10)]), (24, [(0, 24)]), (50, [(0, 24), (26, 50)]), (300, None)],
)
def test_passages_are_spread_over_a_track(
    seconds: int, expected: list[tuple[int, int]] | None
) -> None:
    found = cuts(seconds)
    if expected is not None:
        assert found == expected
    assert len(found) <= sets.PER_TRACK
    assert found[-1][1] == seconds, "the end is asked for, too"
    assert all(0 <= start < end <= seconds for start, end in found)


def test_a_class_holds_the_tenth_with_its_highest_scores() -> None:
    names = [*GENRES.values(), *MOODS.values()]
    rng = np.random.default_rng(0)
    passages = [
        Passage(str(i), np.zeros((2, 3), np.float32), rng.random(len(names)).astype(np.float32))
        for i in range(50)
    ]
    found = by_class(passages, GENRES, names)
    for query, name in GENRES.items():
        column = names.index(name)
        held = {int(p.name) for p in found if query in p.captions}
        best = np.argsort([-p.scores[column] for p in passages])[: round(SHARE * 50)]
        assert held == set(best.tolist())
    assert any(not p.captions for p in found), "others stay as distractors"
    assert any(len(p.captions) > 1 for p in found)


def test_other_languages_ask_for_classes_of_the_english_sets() -> None:
    assert set(ALSO_ABROAD) <= {*GENRES.values(), *MOODS.values()}
    assert all(len(names) == len(ALSO_ABROAD) for names in ABROAD.values()), "no name twice"


def test_a_pairs_latents_are_the_features_that_were_prepared() -> None:
    one = track("a", "source", 12, 0)
    shipped = checkpoint.load("builtin", "cpu")
    own = latents_of(one, shipped)
    assert own.shape == (12, shipped.space.dim)
    pair = replace(
        shipped, config=replace(shipped.config, space=replace(shipped.space, encoder="musicnn"))
    )
    np.testing.assert_array_equal(latents_of(one, pair), one.tag_features.astype(np.float32))
