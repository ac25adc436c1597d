"""The grammar of captions, over many random passages."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.words import vocabulary as words
from training.words.captions import (
    LEAST,
    Facts,
    article,
    captions,
    choose,
    distinct,
    finish,
    listed,
    noun,
    voice,
)

NAMES = sorted({*words.INSTRUMENTS, *words.GENRES, *words.MOODS, *words.VOICES})
CLASSES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.floats(-1, 3)), unique_by=lambda pair: pair[0], max_size=15
)
FACTS = st.builds(
    Facts,
    classes=CLASSES.map(tuple),
    instruments=st.lists(st.sampled_from(sorted(words.PLAYED)), unique=True, max_size=4).map(tuple),
    measured=st.lists(st.sampled_from(sorted(words.MEASURED)), unique=True, max_size=4).map(tuple),
    sung=st.sampled_from([True, False, None]),
    female=st.just(False),
)
SEEDS = st.integers(0, 2**32 - 1)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# Whole captions


@given(FACTS, SEEDS)
@settings(max_examples=150, derandomize=True)
def test_captions_are_well_formed(facts: Facts, seed: int) -> None:
    for text in captions(facts, rng(seed), 10):
        assert text == " ".join(text.split()) != ""
        assert "{" not in text
        assert not re.search(r"[,.] ?[,.]| [,.]|^\W", text), text


@given(FACTS, SEEDS)
@settings(max_examples=150, derandomize=True)
def test_no_word_is_said_twice_in_a_row(facts: Facts, seed: int) -> None:
    for text in captions(facts, rng(seed), 10):
        assert not re.search(r"\b(\w+) \1\b", text.lower()), text


@given(FACTS, SEEDS)
@settings(max_examples=150, derandomize=True)
def test_articles_fit_and_come_one_at_a_time(facts: Facts, seed: int) -> None:
    for text in captions(facts, rng(seed), 10):
        lowered = text.lower().replace("an a cappella", "an unaccompanied")
        assert not re.search(r"\ba [aeio]", lowered), text
        assert not re.search(r"\ban [^aeiou8r]", lowered), text  # 8-bit, R&B
        assert not re.search(r"\b(a|an|the) (a|an|the)\b", lowered), text


@given(FACTS, SEEDS)
@settings(max_examples=60, derandomize=True)
def test_what_is_known_to_be_instrumental_is_never_said_to_be_sung(facts: Facts, seed: int) -> None:
    known = Facts(facts.classes, facts.instruments, (), (), facts.measured, sung=False)
    said = " ".join(captions(known, rng(seed), 15)).lower()
    assert not re.search(r"\ba singer\b(?!-songwriter)|lead vocals|a vocalist", said)


def test_every_form_of_caption_is_used() -> None:
    facts = Facts((("Jazz", 2.0), ("Piano", 2.0), ("Sad music", 1.5)), ("piano",), ("jazz",))
    written = captions(facts, rng(), 400)
    assert any("," in text and "." not in text for text in written)  # tags
    assert any(text.count(".") >= 2 for text in written)  # sentences
    assert any(" " not in text for text in written)  # one word
    assert any(text[0].isupper() for text in written)
    assert any(text[0].islower() for text in written)


# The parts


@pytest.mark.parametrize(
    ("phrase", "wanted"),
    [
        ("eerie tune", "an eerie tune"),
        ("jazz piece", "a jazz piece"),
        ("uplifting song", "an uplifting song"),
        ("ukulele piece", "a ukulele piece"),
        ("one-chord jam", "a one-chord jam"),
        ("8-bit tune", "an 8-bit tune"),
        ("R&B track", "an R&B track"),
        ("EDM track", "an EDM track"),
        ("IDM track", "an IDM track"),
    ],
)
def test_a_phrase_gets_the_article_one_would_say(phrase: str, wanted: str) -> None:
    assert article(phrase) == wanted


def test_lists_are_joined_as_people_do() -> None:
    assert listed(rng(), []) == ""
    assert listed(rng(), ["piano"]) == "piano"
    assert {listed(rng(seed), ["piano", "bass"]) for seed in range(40)} == {
        "piano and bass",
        "piano, bass",
        "piano with bass",
    }
    assert listed(rng(), ["piano", "bass", "drums"]) == "piano, bass and drums"


@given(st.lists(st.sampled_from([p for t in words.MOODS.values() for p in t.split("|")])))
def test_distinct_phrases_share_no_long_word_and_keep_their_order(phrases: list[str]) -> None:
    kept = distinct(phrases)
    assert kept == [phrase for phrase in dict.fromkeys(phrases) if phrase in kept]
    for n, phrase in enumerate(kept):
        for earlier in kept[:n]:
            assert not {w for w in phrase.split() if len(w) > 3} & set(earlier.split())
    if phrases:
        assert kept[0] == phrases[0]


def test_repeated_words_are_dropped() -> None:
    assert distinct(["dark jazz", "jazz piano", "slow"]) == ["dark jazz", "slow"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("soul music music", "soul music"),
        ("a heavy heavy metal track", "a heavy metal track"),
        ("slow  piano ", "slow piano"),
    ],
)
def test_a_doubled_word_is_said_once(text: str, wanted: str) -> None:
    assert {finish(text, rng(seed)).lower().rstrip(".") for seed in range(20)} == {wanted}


def test_likelier_classes_are_chosen_more_often_and_weak_ones_never() -> None:
    facts = Facts((("Jazz", 3.0), ("Blues", 2.0), ("Funk", 1.5), ("Ska", 0.9), ("Disco", 0.1)))
    first = [choose(rng(seed), facts, words.GENRES, 1)[0] for seed in range(400)]
    assert first.count("Jazz") > first.count("Blues") > first.count("Funk") > 0
    assert "Ska" not in first  # too far below the best
    assert "Disco" not in first  # below LEAST
    assert LEAST > 0.1
    assert choose(rng(), facts, words.GENRES, 0) == []
    assert choose(rng(), facts, words.VOICES, 3) == []


def test_nobody_is_said_to_sing_where_nobody_knows() -> None:
    unsure = Facts((("Singing", 0.9),), sung=None)
    assert {voice(unsure, rng(seed)) for seed in range(50)} == {""}
    clear = Facts((("Singing", 2.5),), sung=None)
    assert all(voice(clear, rng(seed)) for seed in range(50))


def test_a_song_is_called_a_song_only_if_somebody_sings() -> None:
    from training.words.captions import Slots

    sung = {noun(Slots(voice="a choir"), Facts(sung=True), rng(seed)) for seed in range(60)}
    assert "song" in sung
    assert not any("instrumental" in word for word in sung)
    silent = {noun(Slots(), Facts(sung=False), rng(seed)) for seed in range(60)}
    assert any("instrumental" in word for word in silent)
