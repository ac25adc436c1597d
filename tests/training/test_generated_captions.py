"""Captions from class scores: about what stands out in a track, and none twice."""

from __future__ import annotations

import numpy as np
import pytest

from gdr_model.types import Array
from training.words import vocabulary
from training.words.generated_captions import MENTIONED, TABLES, write

LABELS = ["Jazz", "Piano", "Sad music", "Banjo", "Techno", "Bark", "Silence"]
"""The last two are no classes that captions speak of."""


def probabilities(*peaks: dict[str, float]) -> Array:
    """A row of faint probabilities for each dictionary, with its own peaks."""
    rows = np.full((len(peaks), len(LABELS)), 0.01)
    for row, peak in zip(rows, peaks, strict=True):
        for name, value in peak.items():
            row[LABELS.index(name)] = value
    return rows


def captions_of(row: int, written: list[tuple[int, str]]) -> str:
    return " | ".join(caption.lower() for number, caption in written if number == row)


def test_each_track_is_described_by_what_stands_out_in_it() -> None:
    rows = probabilities({"Jazz": 0.9, "Piano": 0.8}, {"Techno": 0.9}, {"Banjo": 0.7})
    written = write(rows, LABELS, 40, seed=0)
    jazz, techno, banjo = (captions_of(row, written) for row in range(3))
    assert any(phrase in jazz for phrase in vocabulary.GENRES["Jazz"].split("|"))
    assert any(phrase in jazz for phrase in vocabulary.INSTRUMENTS["Piano"].split("|"))
    assert "techno" in techno
    assert "techno" not in jazz
    assert "banjo" in banjo
    assert "banjo" not in techno


def test_what_every_track_has_describes_none() -> None:
    everywhere = [{"Piano": 0.9, "Jazz": 0.9 if n == 0 else 0.01} for n in range(6)]
    written = write(probabilities(*everywhere), LABELS, 30, seed=1)
    jazz, other = captions_of(0, written), captions_of(1, written)
    assert jazz.count("jazz") > 5
    assert "jazz" not in other


def test_no_caption_of_a_track_is_written_twice() -> None:
    rows = probabilities({"Jazz": 0.9}, {"Banjo": 0.9})
    written = write(rows, LABELS, 200, seed=2)
    assert len(set(written)) == len(written)
    for row in (0, 1):
        assert 0 < sum(number == row for number, _ in written) <= 200
    assert [row for row, _ in written] == sorted(row for row, _ in written)


def test_the_same_seed_writes_the_same_and_another_seed_other_captions() -> None:
    rows = probabilities({"Jazz": 0.9}, {"Banjo": 0.9})
    assert write(rows, LABELS, 20, seed=3) == write(rows, LABELS, 20, seed=3)
    assert write(rows, LABELS, 20, seed=3) != write(rows, LABELS, 20, seed=4)


def test_a_track_keeps_its_captions_when_others_are_added() -> None:
    # Only its scores among the others may change them, and here they do not.
    rows = probabilities({"Jazz": 0.9}, {"Banjo": 0.9})
    twice = write(np.concatenate([rows, rows]), LABELS, 20, seed=5)
    once = write(rows, LABELS, 20, seed=5)
    assert [pair for pair in twice if pair[0] < 2] == once


@pytest.mark.parametrize("name", ["Bark", "Silence"])
def test_classes_without_words_are_left_out(name: str) -> None:
    assert not any(name in table for table in TABLES)
    written = write(probabilities({name: 0.99}, {"Jazz": 0.9}), LABELS, 20, seed=6)
    assert name.lower() not in captions_of(0, written)


def test_no_more_classes_are_considered_than_anyone_could_hear() -> None:
    labels = [*vocabulary.INSTRUMENTS][: MENTIONED + 10]
    rows = np.full((2, len(labels)), 0.5)
    rows[0] = np.linspace(0.9, 0.1, len(labels))
    written = captions_of(0, write(rows, labels, 300, seed=7))
    weakest = vocabulary.INSTRUMENTS[labels[-1]].split("|")
    assert not any(phrase.lower() in written for phrase in weakest if " " in phrase)
