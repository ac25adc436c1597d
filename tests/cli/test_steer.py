"""Steering a search further: sliders, samplers, sounds inside the sampler."""

from __future__ import annotations

from pathlib import Path

import pytest

TRACKS = sorted((Path(__file__).parents[2] / "demo").rglob("*.ogg"))


def paths(gdr, *words: object) -> list[str]:
    result = gdr("search", "music", "-f", "paths", "-k", 99, *words)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


def test_a_slider_moves_the_answer_both_ways(gdr, demo) -> None:
    plain, more, less = (
        paths(gdr, *slide) for slide in ((), ("--slide", "piano:1"), ("--slide", "piano:-1"))
    )
    assert len({tuple(plain), tuple(more), tuple(less)}) == 3
    assert paths(gdr, "--slide", "piano:0") == plain


def test_a_slider_at_minus_one_answers_as_a_negative(gdr, demo) -> None:
    assert paths(gdr, "--slide", "piano:-1") == paths(gdr, "--not", "piano:3")


def test_a_slider_steers_the_contrastive_query_too(gdr, demo) -> None:
    contrastive = ("--method", "contrastive")
    assert paths(gdr, *contrastive) != paths(gdr, *contrastive, "--slide", "piano:1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--slide", "acoustic"), 'the slider "acoustic" has no amount'),
        (("--slide", "acoustic:lots"), 'the slider "acoustic:lots" has no amount'),
        (("--slide", "acoustic:3"), "must be from -1 to 1"),
        (("--slide", ":0.5"), "a slider has no words"),
        (("--sampler", "kdpm2"), "'kdpm2' is not one of 'ddim', 'dpm++', 'consistency', 'unipc'"),
        (("--sampler", "consistency"), "was not distilled for the consistency sampler"),
        (("--pull", 2), "pull 2 is out of range"),
    ],
)
def test_an_invalid_value_is_a_usage_error(gdr, demo, words, said: str) -> None:
    result = gdr("search", "music", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_another_sampler_answers_alike_but_not_the_same(gdr, demo) -> None:
    first, *others = (paths(gdr, "--sampler", sampler) for sampler in ("ddim", "dpm++", "unipc"))
    for other in others:
        assert sorted(first) == sorted(other)
        assert len(set(first[:10]) & set(other[:10])) >= 7


def test_a_like_acts_harder_when_it_pulls_while_drawing(gdr, demo) -> None:
    ranks = [
        paths(gdr, "--like", TRACKS[3], "--pull", pull).index(str(TRACKS[3]))
        for pull in (0, 0.3, 1)
    ]
    assert ranks == sorted(ranks, reverse=True)
    assert paths(gdr, "--pull", 1) == paths(gdr), "without likes there is nothing to pull"


def test_an_edit_is_pulled_towards_a_second_sound(gdr, demo) -> None:
    def rank(*more: object) -> int:
        result = gdr("edit", TRACKS[0], "music", "-f", "paths", "-k", 99, *more)
        assert result.exit_code == 0, result.stderr
        return result.stdout.splitlines().index(str(TRACKS[-1]))

    assert rank("--like", TRACKS[-1], "--pull", 0.5) <= rank()
