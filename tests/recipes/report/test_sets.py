"""The sets that the built-in model is measured on."""

from __future__ import annotations

import numpy as np
import pytest

from recipes.builtin.report import sets
from recipes.builtin.report.sets import GENRES, MOODS, SHARE, Passage, by_class, cuts


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


def test_a_class_holds_the_tenth_with_its_highest_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [*GENRES.values(), *MOODS.values()]
    monkeypatch.setattr(sets, "labels", lambda: names)
    rng = np.random.default_rng(0)
    passages = [
        Passage(str(i), np.zeros((2, 3), np.float32), rng.random(len(names)).astype(np.float32))
        for i in range(50)
    ]
    found = by_class(passages, GENRES)
    for query, name in GENRES.items():
        column = names.index(name)
        held = {int(p.name) for p in found if query in p.captions}
        best = np.argsort([-p.logits[column] for p in passages])[: round(SHARE * 50)]
        assert held == set(best.tolist())
    assert any(not p.captions for p in found), "others stay as distractors"
    assert any(len(p.captions) > 1 for p in found)
