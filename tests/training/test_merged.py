"""Both teachers' opinions in one row of classes."""

from __future__ import annotations

import numpy as np

from training.words.merged import OWN, SHARED, Classes
from training.words.tagger import TAGS

LABELS = ("Piano", "Jazz", "Rock music")


def test_every_tag_of_the_tables_is_one_of_the_networks() -> None:
    assert len(TAGS) == len(set(TAGS)) == 50
    assert {tag for tag, _ in SHARED.values()} <= set(TAGS)
    assert set(OWN) <= set(TAGS)
    assert not {tag for tag, _ in SHARED.values()} & set(OWN), "a tag is one class"
    assert all(0 < share < 1 for _, share in SHARED.values())


def test_a_shared_class_is_the_mixture_and_the_rest_is_kept() -> None:
    classes = Classes.of(LABELS)
    assert classes.names[:3] == LABELS
    first = np.array([[1.0, 2.0, 3.0]], np.float32)
    second = np.zeros((1, 50), np.float32)
    second[0, TAGS.index("jazz")] = 10
    second[0, TAGS.index("Mellow")] = 7
    (row,) = classes.merge(first, second)
    share = SHARED["Jazz"][1]
    assert row[0] == 1
    np.testing.assert_allclose(row[1], (1 - share) * 2 + share * 10)
    np.testing.assert_allclose(row[2], (1 - SHARED["Rock music"][1]) * 3)
    assert row[classes.names.index("Mellow music")] == 7
    assert first[0, 1] == 2, "the rows given are not changed"


def test_without_tags_the_first_teacher_alone_has_classes() -> None:
    classes = Classes.of(["Jazz", "Dog"], tags=False)
    assert classes.names == ("Jazz", "Dog")
    first, second = np.array([[1.0, 2.0]], np.float32), np.full((1, len(TAGS)), 9, np.float32)
    np.testing.assert_array_equal(classes.merge(first, second), first)
