"""The words for music: complete for the teacher's classes, well formed, and of the right kind."""

from __future__ import annotations

import os
import re

import pytest

from recipes.builtin.music.gm import PROGRAMS
from recipes.builtin.music.styles import STYLES
from training.words import vocabulary as words
from training.words.merged import OWN, Classes
from training.words.teacher import MUSIC, VOICE, labels

TABLES = {
    "INSTRUMENTS": words.INSTRUMENTS,
    "GENRES": words.GENRES,
    "MOODS": words.MOODS,
    "VOICES": words.VOICES,
    "USES": words.USES,
    "ERAS": words.ERAS,
    "MEASURED": words.MEASURED,
    "PLAYED": words.PLAYED,
    "SOURCE_GENRES": words.SOURCE_GENRES,
}
WITHOUT_WORDS = {
    "Musical instrument": "true of everything",
    "Song": "true of everything",
    "Bicycle bell": "a noise",
    "Change ringing (campanology)": "nobody asks for it",
    "Shofar": "nobody asks for it",
}
"""Classes of music that captions leave out, and why."""

needs_labels = pytest.mark.skipif(
    not os.environ.get("GDR_SHARED"),
    reason="GDR_SHARED is unset: the teacher's labels are not here",
)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_phrases_are_clean_and_distinct(table: dict[str, str]) -> None:
    for name, joined in table.items():
        phrases = joined.split("|")
        assert len(set(phrases)) == len(phrases), name
        for phrase in phrases:
            assert phrase == phrase.strip() != "", name
            assert "  " not in phrase, name
            assert not re.search(r"\b(\w+) \1\b", phrase.lower()), phrase
            assert not re.search(r"[.,;:!?]", phrase), phrase


def test_every_article_fits_its_noun() -> None:
    for table in TABLES.values():
        for joined in table.values():
            for phrase in joined.split("|"):
                assert not re.match(r"a [aeio]", phrase), phrase
                assert not re.match(r"an [^aeiou]", phrase), phrase


def test_genres_and_moods_take_no_article() -> None:
    for table in (words.GENRES, words.MOODS, words.MEASURED):
        for joined in table.values():
            for phrase in joined.split("|"):
                plain = phrase.replace("a cappella", "unaccompanied")
                assert not plain.startswith(("a ", "an ", "the ")), phrase


def test_a_genre_reads_well_before_music() -> None:
    for joined in words.GENRES.values():
        assert not any(phrase.endswith(" music") for phrase in joined.split("|")), joined


@needs_labels
def test_every_class_of_music_and_voice_has_words_or_a_reason() -> None:
    named = {name for table in list(TABLES.values())[:6] for name in table}
    classes = labels()
    assert set(classes[MUSIC]) - named == set(WITHOUT_WORDS)
    assert set(classes[VOICE]) <= named


@needs_labels
def test_no_table_names_a_class_that_neither_teacher_has() -> None:
    classes = set(Classes.of(labels()).names)
    for name in ("INSTRUMENTS", "GENRES", "MOODS", "VOICES", "USES", "ERAS"):
        assert set(TABLES[name]) <= classes, name


def test_a_decade_is_a_tag_or_belongs_to_a_genre() -> None:
    assert set(words.ERAS) <= set(words.GENRES) | set(OWN.values())


def test_every_program_is_called_something() -> None:
    named = [program for joined in words.PLAYED.values() for program in joined.split("|")]
    assert set(named) <= set(PROGRAMS)
    assert len(set(named)) == len(named), "a program has two names"
    for program in PROGRAMS:
        spoken = words.spoken(program)
        assert spoken
        assert spoken in words.PLAYED or spoken == program


@pytest.mark.parametrize(
    ("program", "spoken"),
    [
        ("acoustic grand piano", "piano"),
        ("goblins", "synth pads"),
        ("koto", "koto"),
        ("bird tweet", "sound effects"),
        ("violin", "violin"),
    ],
)
def test_programs_are_spoken_of_as_people_do(program: str, spoken: str) -> None:
    assert words.spoken(program) == spoken


def test_moods_of_the_composer_are_single_words() -> None:
    for style in STYLES:
        for mood in style.moods:
            assert re.fullmatch(r"[a-z-]+", mood), (style.name, mood)
