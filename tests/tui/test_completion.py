"""What the prompt line can be completed with: whole lines, best first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdr_tui.app.search.completion import EXAMPLES, SHOWN, Completion, Sources, complete
from gdr_tui.language.syntax import parse, parts

SOURCES = Sources(
    prompts=("slow strings, dark", "warm piano", "piano and WARM strings"),
    tags={
        "genre": (("Jazz", 12), ("Drum & Bass", 3), ("Acid Jazz", 2), ("Odd", 1)),
        "artist": (("Wayne", 4), ('The "Quoted"', 2), ("Line\nBreak", 2)),
    },
    words=("warm", "wartime", "waltz", "electric piano"),
)


def lines(typed: str, sources: Sources = SOURCES) -> list[str]:
    return [completion.line for completion in complete(typed, sources)]


def test_an_empty_line_is_offered_prompts_then_genres_then_examples() -> None:
    offered = complete("", SOURCES)
    assert offered[:5] == [
        Completion("slow strings, dark", "asked before"),
        Completion("warm piano", "asked before"),
        Completion("piano and WARM strings", "asked before"),
        Completion("slow and warm genre:Jazz", "12 tracks"),
        Completion('dark genre:"Drum & Bass"', "3 tracks"),
    ]
    assert len(offered) == SHOWN


def test_a_new_user_is_offered_the_examples() -> None:
    assert lines("  ", Sources()) == list(EXAMPLES)
    assert all(parse(example) for example in EXAMPLES)


def test_a_genre_of_one_track_is_not_suggested() -> None:
    rare = Sources(tags={"genre": (("Odd", 1),)})
    assert not any("genre:" in line for line in lines("", rare))


def test_earlier_prompts_come_first_those_that_begin_alike_before_the_others() -> None:
    assert lines("warm")[:2] == ["warm piano", "piano and WARM strings"]


def test_the_last_word_is_completed_by_words_and_tags() -> None:
    assert lines("slow wa") == ["slow warm", "slow wartime", "slow waltz", "slow artist:Wayne"]
    assert "dark genre:Jazz" in lines("dark ja")
    assert "dark genre:" in lines("dark gen")


@pytest.mark.parametrize("sign", ["-", "+"])
def test_what_steers_is_completed_behind_its_sign(sign: str) -> None:
    assert lines(f"slow {sign}wa") == [f"slow {sign}{w}" for w in ("warm", "wartime", "waltz")]
    assert lines(f'slow {sign}"elec') == [f'slow {sign}"electric piano"']


def test_a_fields_values_begin_with_what_is_typed_or_have_a_word_that_does() -> None:
    assert complete("x genre:ja", SOURCES) == [
        Completion("x genre:Jazz", "12 tracks"),
        Completion('x genre:"Acid Jazz"', "2 tracks"),
    ]
    assert lines("x -GENRE:odd") == ["x -genre:Odd"]
    assert lines("x +genre:ja") == [], "a slider has words, not values"


def test_a_value_that_cannot_be_typed_is_not_offered() -> None:
    assert lines("x artist:the") == []
    assert lines("x artist:line") == []


@pytest.mark.parametrize("typed", ["slow w", "slow ", "warm piano"])
def test_nothing_is_offered_too_early_or_too_late(typed: str) -> None:
    assert lines(typed, Sources(("warm piano",), words=("warm",))) == []


@given(st.text(alphabet='ab -+:"\\wr', max_size=12))
def test_a_completion_keeps_what_was_typed_before_its_last_part(typed: str) -> None:
    words_only = Sources(words=("warm", "wartime"), tags={"genre": (("war", 3),)})
    if not typed.strip():
        return
    head = typed[: parts(typed)[-1].begin]
    for line in lines(typed, words_only):
        assert line.startswith(head)
        assert line != typed
