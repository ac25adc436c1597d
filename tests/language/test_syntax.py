"""The language of the prompt line: what is words, and what steers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdr_model.errors import UsageError
from gdr_model.steering import Slider, Steering, WeightedText
from gdr_model.store import filters
from gdr_tui.language.syntax import FIELDS, LIMITS, ParsedLine, as_typed, parse, parts, quoted


def test_everything_at_once() -> None:
    typed = parse("warm piano -vocals -drums:0.5 +strings like:3 unlike:2 genre:jazz year:>1990")
    assert typed == ParsedLine(
        words="warm piano",
        negatives=(WeightedText("vocals"), WeightedText("drums", 0.5)),
        sliders=(Slider("strings", 0.5),),
        likes=(3,),
        bans=(2,),
        where="genre = jazz and year > 1990",
    )
    assert typed.steers


@pytest.mark.parametrize(
    "line",
    [
        "lo-fi hip-hop beats",
        "piano - slow",
        "drum & bass + piano",
        "10:30 pm, driving",
        "sounds like: rain",
        "verse:chorus",
        "-3 dB of hiss",
        "session: live, 120 bpm",
        "genre: unknown",
        "C# minor",
        'a "quote that never ends',
    ],
)
def test_plain_sentences_stay_words(line: str) -> None:
    assert parse(line) == ParsedLine(words=line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r"\-vocals", "-vocals"),
        (r"\+strings warm", "+strings warm"),
        (r"\genre:jazz", "genre:jazz"),
        (r"\[ \w", r"\[ \w"),
        ("  warm   piano ", "warm piano"),
        ('"night drive" slow', "night drive slow"),
        ("", ""),
        ('""', ""),
    ],
)
def test_words_are_cleaned(line: str, words: str) -> None:
    assert parse(line).words == words


@pytest.mark.parametrize(
    ("line", "negative"),
    [
        ("-drums", WeightedText("drums")),
        ("-drums:1.5", WeightedText("drums", 1.5)),
        ('-"electric guitar"', WeightedText("electric guitar")),
        ('-"electric guitar":2', WeightedText("electric guitar", 2.0)),
        ("-lo-fi:0.5", WeightedText("lo-fi", 0.5)),
        ("-drums -drums:2", WeightedText("drums", 2.0)),
    ],
)
def test_what_to_push_away_from(line: str, negative: WeightedText) -> None:
    assert parse(line) == ParsedLine(negatives=(negative,))


@pytest.mark.parametrize(
    ("line", "slider"),
    [
        ("+strings", Slider("strings", 0.5)),
        ("+strings:1", Slider("strings", 1.0)),
        ('+"more bass":-0.3', Slider("more bass", -0.3)),
    ],
)
def test_what_to_move_along(line: str, slider: Slider) -> None:
    assert parse(line) == ParsedLine(sliders=(slider,))


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("genre:jazz", "genre = jazz"),
        ("Genre:jazz", "genre = jazz"),
        ('genre:"big band"', 'genre = "big band"'),
        ("genre:jazz genre:funk", "(genre = jazz or genre = funk)"),
        ("genre:jazz artist:Monk", "genre = jazz and artist = Monk"),
        ("-genre:jazz", "not genre = jazz"),
        ("-genre:jazz -genre:pop", "not genre = jazz and not genre = pop"),
        ("artist:!=Prince", "artist != Prince"),
        ("title:night", "title ~ night"),
        ("year:1990..1999", "year = 1990..1999"),
        ("-year:1990..1999", "not year = 1990..1999"),
        ("year:1990..", "year = 1990.."),
        ("duration_s:..240", "duration_s = ..240"),
        ("bpm:118..126.5", "bpm = 118..126.5"),
        ("loudness_db:-14..-9", "loudness_db = -14..-9"),
        ("year:!=1960..1969", "year != 1960..1969"),
        ("year:1960..1969 year:1990..", "(year = 1960..1969 or year = 1990..)"),
        ("year:>=1990 year:<2000", "year >= 1990 and year < 2000"),
        ("year:1990 year:1991", "(year = 1990 or year = 1991)"),
        ("duration_s:<240", "duration_s < 240"),
        ("artist:AC/DC", "artist = AC/DC"),
        ("artist:O'Connor", 'artist = "O\'Connor"'),
        ("folder:Live(1)", 'folder = "Live(1)"'),
    ],
)
def test_a_field_becomes_a_filter_that_can_be_read(line: str, where: str) -> None:
    assert parse(line) == ParsedLine(where=where)
    filters.parse(where)


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        ("warm piano", "warm piano"),
        ("-drums", '"-drums"'),
        ("like:rain", '"like:rain"'),
        ("year:old piano", '"year:old piano"'),
        ("-per-artist:1", '"-per-artist:1"'),
    ],
)
def test_words_are_typed_so_that_they_stay_words(words: str, typed: str) -> None:
    assert as_typed(words) == typed
    assert parse(typed) == ParsedLine(words)


def test_ranks_are_named_once() -> None:
    assert parse("like:3 like:3 like:1 unlike:12").likes == (3, 1)
    assert parse("unlike:12").bans == (12,)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("like:rain", "like:rain names no result"),
        ("like:0", "like:0 names no result"),
        ("unlike:-1", "names no result"),
        ("like:²", "names no result"),
        ("unlike:" + 5000 * "9", "names no result"),
        ("per-artist:" + 5000 * "9", "has no number of results"),
        ("-per-artist:1", "per-artist sets a number and cannot be negated; write per-artist:1"),
        ("-Per-Album:1", "per-album sets a number and cannot be negated; write per-album:1"),
        ("-per-artist:none", "per-artist sets a number and cannot be negated"),
        (
            "year:old",
            "year needs a number or a range; write it as in year:1990, year:>1990 or "
            "year:1960..1969",
        ),
        ("duration_s:nan", "duration_s needs a number or a range"),
        ("year:>1960..1969", "year needs a number or a range"),
        ("year:~19", "year needs a number or a range"),
        ('year:"1990 and genre = jazz"', "year needs a number or a range"),
        ("year:1969..1960", "year:1969..1960 ends before it starts; write year:1960..1969"),
        ("year:>", "year:> has no value"),
        ('genre:""', "has no value"),
        ("-drums:9", "weight of a negative"),
        ("-drums:0", "weight of a negative"),
        ("+strings:2", "must be from -1 to 1"),
    ],
)
def test_what_is_invalid_is_refused_in_one_sentence(line: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        parse(line)


def test_parts_cover_what_was_typed() -> None:
    line = 'warm -"big drums":2 genre:jazz'
    assert [(line[p.begin : p.end], p.kind) for p in parts(line)] == [
        ("warm", "words"),
        ('-"big drums":2', "negative"),
        ("genre:jazz", "filter"),
    ]


PIECES = st.sampled_from(
    [*FIELDS, *LIMITS, "like", "unlike", *"-+:\\\"'<>=~!() ", "..", "1990", "9" * 20, "drums",
     "no", "less"]
)  # fmt: skip


@given(st.text(st.characters(codec="utf-8"), max_size=60) | st.lists(PIECES).map("".join))
def test_any_line_is_read_or_refused(line: str) -> None:
    """Whatever is typed is a query, or one sentence; and its filter can always be read."""
    try:
        typed = parse(line)
    except UsageError:
        return
    if typed.where:
        filters.parse(typed.where)
    if typed.words:
        Steering(typed.words, negatives=typed.negatives, sliders=typed.sliders)


@given(st.from_regex(r"[A-Za-z][A-Za-z .&'/()-]{0,20}[A-Za-z]", fullmatch=True))
def test_a_tag_typed_by_completion_finds_that_tag(value: str) -> None:
    from pathlib import Path

    from gdr_model.types import Track

    keeps = filters.parse(parse(f"artist:{quoted(value)}").where)
    assert keeps(Track(Path("/m/a.flac"), 1.0, "0", artist=value), "a.flac")


def test_limits_of_an_artist_and_an_album() -> None:
    typed = parse("warm piano per-artist:1 Per-Album:2")
    assert (typed.words, typed.limits) == ("warm piano", (("per_artist", 1), ("per_album", 2)))
    assert parse("per-artist:1 per-artist:0").limits == (("per_artist", 0),)
    assert parse("per-artist:1").steers
    assert parse("music per-artist rates").words == "music per-artist rates"
    for line in ("piano per-artist:one", "piano per-album:-1", "piano per-album:1.5"):
        with pytest.raises(UsageError, match="write it as in per-artist:1"):
            parse(line)
