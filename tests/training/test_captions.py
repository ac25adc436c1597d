"""Captions: true, varied, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from training.words import vocabulary as words
from training.words.captions import Facts, article, captions, distinct

JAZZ = Facts(
    classes=(("Jazz", 2.1), ("Piano", 1.9), ("Double bass", 1.5), ("Sad music", 1.2)),
    instruments=("piano", "upright bass"),
    genres=("jazz trio", "jazz"),
    moods=("smoky", "cool"),
    measured=("slow", "dark"),
    sung=False,
)
POP = Facts(
    classes=(("Pop music", 2.0), ("Singing", 1.9), ("Disco", 1.8), ("Synthesizer", 1.2)),
    sung=True,
)
SINGING = ("vocal", "singer", "singing", "voice", "rap", "choir")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_same_seed_same_captions() -> None:
    assert captions(JAZZ, rng(3), 20) == captions(JAZZ, rng(3), 20)


def test_hundreds_of_ways_to_say_it() -> None:
    written = captions(JAZZ, rng(), 600)
    assert len(set(written)) > 400
    lengths = {len(text.split()) for text in written}
    assert {1, 2, 3} <= lengths
    assert max(lengths) > 15


def test_nothing_is_empty_or_left_unfilled() -> None:
    for facts in (JAZZ, POP, Facts(), Facts(classes=(("Harp", 3.0),))):
        for text in captions(facts, rng(1), 200):
            assert text.strip()
            assert "{" not in text
            assert "  " not in text


def test_an_instrumental_is_never_said_to_be_sung() -> None:
    for text in captions(JAZZ, rng(2), 500):
        said = text.lower().replace("no vocals", "").replace("no singer", "")
        assert not any(word in said for word in SINGING[:4]), text


def test_unknown_singing_is_not_spoken_of() -> None:
    facts = Facts(classes=(("Rock music", 2.0), ("Singing", 0.5)), sung=None)
    for text in captions(facts, rng(4), 300):
        assert not any(word in text.lower() for word in SINGING[:4]), text


def test_a_woman_is_named_only_where_the_source_says_so() -> None:
    assert not any("female" in text or "woman" in text for text in captions(POP, rng(), 400))
    sung = Facts(classes=POP.classes, sung=True, female=True)
    assert any("female" in text or "woman" in text for text in captions(sung, rng(), 400))


def test_weak_classes_are_not_spoken_of() -> None:
    facts = Facts(classes=(("Jazz", 2.0), ("Banjo", 0.1), ("Reggae", -1.0)))
    text = " ".join(captions(facts, rng(), 300)).lower()
    assert "jazz" in text
    assert "banjo" not in text
    assert "reggae" not in text


def test_a_decade_needs_its_genre_among_the_first() -> None:
    facts = Facts(classes=(("Jazz", 3.0), ("Blues", 2.9), ("Disco", 1.5)))
    assert not any("70" in text or "sevent" in text for text in captions(facts, rng(), 400))


def test_repeated_words_are_dropped() -> None:
    assert distinct(["dark jazz", "jazz piano", "slow"]) == ["dark jazz", "slow"]


@pytest.mark.parametrize(
    ("phrase", "wanted"), [("eerie tune", "an eerie tune"), ("jazz piece", "a jazz piece")]
)
def test_article(phrase: str, wanted: str) -> None:
    assert article(phrase) == wanted


def test_the_vocabulary_has_words_for_every_entry() -> None:
    tables = (words.INSTRUMENTS, words.GENRES, words.MOODS, words.VOICES, words.USES, words.ERAS)
    for table in tables:
        for name, phrases in table.items():
            assert all(part.strip() == part and part for part in phrases.split("|")), name


def test_programs_are_spoken_of_as_people_do() -> None:
    assert words.spoken("acoustic grand piano") == "piano"
    assert words.spoken("goblins") == "synth pads"
    assert words.spoken("koto") == "koto"
