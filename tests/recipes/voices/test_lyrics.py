"""Lyrics: lines of the length asked for, that come back as in songs."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from voices import rng

from recipes.builtin.voices.lyrics import LINKS, NOUNS, VERBS, VOCALISE, line, song

WORDS = {*NOUNS, *LINKS, *VERBS, *VOCALISE}


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 12))
def test_songs_have_the_lines_and_words_asked_for(seed: int, lines: int, words: int) -> None:
    written = song(rng(seed), lines, words)
    assert [len(one) for one in written] == [words] * lines
    assert {word for one in written for word in one} <= WORDS


def test_lines_come_back() -> None:
    for seed in range(10):
        written = [" ".join(one) for one in song(rng(seed), 20, 5)]
        assert len(set(written)) < 20
        assert len(set(written)) > 5


def test_some_lines_are_nothing_but_la_la_la() -> None:
    lines = [line(rng(seed), 6) for seed in range(400)]
    vocalise = [one for one in lines if set(one) <= set(VOCALISE)]
    assert 0.07 < len(vocalise) / 400 < 0.18
    for one in vocalise:
        assert one == one[:2] * 3  # two sounds in turn
    assert any(one[0] != one[1] for one in vocalise)


def test_words_alternate_between_links_and_what_they_link() -> None:
    places = Counter()
    for seed in range(400):
        one = line(rng(seed), 4)
        if not set(one) <= set(VOCALISE):
            places.update(
                n for n, pool in enumerate((LINKS, VERBS, LINKS, NOUNS)) if one[n] in pool
            )
    assert min(places.values()) > 250
