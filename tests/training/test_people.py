"""What musicians wrote, and which classes answer it."""

from __future__ import annotations

import os

import numpy as np
import pytest

from training.words.merged import Classes
from training.words.people import Lexicon, Row, phrases, rows, written
from training.words.teacher import labels

needs_texts = pytest.mark.skipif(
    not os.environ.get("GDR_SHARED"), reason="GDR_SHARED is unset: the texts are not here"
)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(phrases())


@pytest.mark.parametrize(
    ("aspect", "classes"),
    [
        ("soft female vocal", {"Female vocals", "Tender music", "Mellow music"}),
        ("punchy kick", {"Drum kit"}),
        ("groovy bass", {"Bass guitar"}),
        ("Jazz", {"Jazz"}),
        ("80s", {"Music of the 1980s"}),
        ("acoustic guitars", {"Acoustic guitar"}),
        ("low quality", set()),
        ("no percussion", set()),
        ("fast tempo", set()),
    ],
)
def test_an_aspect_means_the_classes_whose_phrases_it_holds(
    lexicon: Lexicon, aspect: str, classes: set[str]
) -> None:
    assert set(lexicon.classes(aspect)) == classes


@pytest.mark.parametrize("aspect", ["instrumental", "no voices", "no singer", "instrumental music"])
def test_music_without_voices_must_not_have_them(lexicon: Lexicon, aspect: str) -> None:
    assert lexicon.classes(aspect) == {"Singing": -1.0}


def test_the_longest_phrase_counts(lexicon: Lexicon) -> None:
    assert set(lexicon.classes("heavy metal")) == {"Heavy metal"}
    assert set(lexicon.classes("acoustic guitar")) == {"Acoustic guitar"}


def test_held_out_rows_are_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Row("A slow blues. A harmonica plays.", ("blues", "harmonica"), frozenset({"Blues"}))
    other = Row("A polka.", ("accordion",), frozenset({"Accordion"}), evaluation=True)
    monkeypatch.setattr("training.words.people.rows", lambda: [kept, other, kept])
    texts = list(written(np.random.default_rng(0)))
    assert {one.text for one in texts} >= {kept.caption}
    assert not any("polka" in one.text or "accordion" in one.text for one in texts)
    assert all(one.classes for one in texts)


@needs_texts
def test_the_published_rows_are_read_on_one_line_each_with_classes_that_exist() -> None:
    every = rows()
    assert len(every) == 5521
    assert sum(row.evaluation for row in every) == 2858
    texts = list(written(np.random.default_rng(0)))
    names = set(Classes.of(labels()).names)
    assert len(texts) > 8000
    for one in texts:
        assert one.text == " ".join(one.text.split())
        assert set(one.classes) <= names
