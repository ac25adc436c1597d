"""Negations in sentences: what is pushed away from, which words remain, and what stays plain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentences import DEVELOPED, HELD_OUT, Sentence

from gdr_model.steering import WeightedText
from gdr_tui.language.syntax import as_typed, parse

SOME = ("no", "drums", "without", "piano", "but", "not", "and", "or", "fast", "-bass,", "it")


def is_right(sentence: Sentence) -> bool:
    line = parse(sentence.line)
    read = tuple(negative.text for negative in line.negatives)
    return (line.words, read) == (sentence.words, sentence.negatives)


def misread(table: tuple[Sentence, ...], *, plain: bool) -> list[str]:
    return [one.line for one in table if not is_right(one) and plain != bool(one.negatives)]


def test_the_tables_have_a_hundred_sentences_of_either_kind() -> None:
    for table in (DEVELOPED, HELD_OUT):
        plain = [one for one in table if not one.negatives]
        assert len(set(table)) == len(table) >= 100
        assert 0.4 < len(plain) / len(table) < 0.6
    assert not {one.line for one in DEVELOPED} & {one.line for one in HELD_OUT}


def test_every_developed_sentence_is_read_rightly() -> None:
    assert misread(DEVELOPED, plain=True) + misread(DEVELOPED, plain=False) == []


def test_of_the_sentences_held_out_no_plain_one_is_harmed_and_few_are_misread() -> None:
    assert misread(HELD_OUT, plain=True) == []
    assert len(misread(HELD_OUT, plain=False)) <= 0.05 * len(HELD_OUT)


def test_what_is_suspected_stays_words_and_is_reported() -> None:
    line = parse("folk with no yodelers")
    assert (line.words, line.negatives) == ("folk with no yodelers", ())
    assert [(found.phrase, found.negatives) for found in line.negations] == [("no yodelers", ())]
    assert parse("no woman, no cry").negations == ()


def test_less_pushes_half_as_hard() -> None:
    assert parse("techno with less bass").negatives == (WeightedText("bass", 0.5),)


def test_a_negation_goes_with_signs() -> None:
    line = parse("piano without drums -vocals:2 +bells genre:jazz")
    assert line.words == "piano"
    assert line.negatives == (WeightedText("drums"), WeightedText("vocals", 2.0))
    assert line.where == "genre = jazz"


@pytest.mark.parametrize("line", ['"no drums" piano', "“no drums” piano", "'no drums' piano"])
def test_quotes_keep_a_negation_as_words(line: str) -> None:
    assert parse(line).negatives == ()
    assert "no drums" in parse(line).words


def test_a_sign_between_words_ends_a_phrase() -> None:
    assert parse("not -vocals fast").negatives == (WeightedText("vocals"),)


@given(st.text(alphabet=st.sampled_from("no without drums piano, not too fast \"-:.’n't/and or")))
def test_any_line_is_read(line: str) -> None:
    parsed = parse(line)
    if parsed.negatives:
        assert all(found.text.strip() for found in parsed.negatives)


@given(
    st.lists(
        st.sampled_from(
            ["no", "drums", "without", "piano", "but", "not", "and", "or", "fast", "-bass,", "it"]
        )
    )
)
def test_words_that_were_read_are_shown_so_that_they_are_read_the_same_again(
    words: list[str],
) -> None:
    kept = parse(" ".join(words)).words
    shown = parse(as_typed(kept))
    assert (shown.words, shown.steers) == (kept, False)
