"""What two reports on the same sets are compared by."""

from __future__ import annotations

from recipes.builtin.report.compare import compared
from training.metrics import Interval


def test_captions_are_paired_and_only_those_of_both_reports_count() -> None:
    first = {
        "genres": {"each": {"jazz": 0.5, "rock": 0.9, "ska": 1.0}},
        "moods": {"each": {"sad": 1.0}},
    }
    second = {"genres": {"each": {"rock": 0.8, "jazz": 0.4, "polka": 0.0}}, "speed": {}}
    table = compared(first, second, ("a", "b"))
    assert table.columns == ("captions", "a", "b", "difference")
    ((name, (count, ours, theirs, difference)),) = table.rows
    assert (name, count) == ("genres", "2")
    assert isinstance(difference, Interval)
    assert [round(value, 6) for value in (ours, theirs, difference.value)] == [70, 60, 10]
    # Either caption alone differs by ten, however far apart the captions are.
    assert round(difference.low, 6) == round(difference.high, 6) == 10
