"""Queries in other languages: every word has a class that a teacher or the captions know."""

from __future__ import annotations

import tomllib

from training.words import vocabulary
from training.words.abroad import TABLES, translated


def test_every_word_is_put_into_every_form_of_its_language() -> None:
    found = {query.text: query.classes for query in translated()}
    assert found["ロックの曲"] == {"Rock music": 1.0}
    assert found["música triste"] == {"Sad music": 1.0}
    assert found["eine sehr fröhliche Melodie"] == {"Happy music": 1.0}
    assert found["有钢琴的音乐"] == {"Piano": 1.0}
    assert not any("{" in text or "|" in text for text in found)


def test_words_mean_classes_of_the_vocabulary() -> None:
    known = {*vocabulary.GENRES, *vocabulary.MOODS, *vocabulary.INSTRUMENTS, *vocabulary.VOICES}
    assert {name for query in translated() for name in query.classes} <= known


def test_every_language_has_words_for_the_names_that_people_ask_for_most() -> None:
    for language, tables in tomllib.loads(TABLES.read_text(encoding="utf-8")).items():
        assert {"Rock music", "Jazz", "Classical music"} <= set(tables["genres"]), language
        assert {"Happy music", "Sad music", "Angry music"} <= set(tables["feelings"]), language
        assert {"Piano", "Guitar", "Singing"} <= set(tables["sounds"]), language
