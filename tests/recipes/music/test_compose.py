"""Whole pieces: playable, arranged in sections, and the same for the same seed."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipes.builtin.music.compose import METERS, _entries, _sections, _swung, compose
from recipes.builtin.music.diverse import DIVERSE, diverse
from recipes.builtin.music.gm import DRUM_CHANNEL, DRUMS, PROGRAMS, SLOW
from recipes.builtin.music.score import Score
from recipes.builtin.music.styles import BY_NAME
from recipes.builtin.music.theory import KEYS, MODES


def digest(score: Score) -> str:
    return hashlib.sha256(json.dumps(asdict(score)).encode()).hexdigest()[:16]


@pytest.mark.parametrize("style", [*BY_NAME, DIVERSE])
def test_every_style_composes_a_playable_piece(style: str) -> None:
    score = compose(11, style)
    assert score.style == style
    assert 20.0 <= score.duration_s <= 23.5
    assert 40 <= score.tempo_bpm <= 240
    assert score.mode in MODES
    assert score.key in KEYS
    assert len(score.notes) >= 8
    assert score.density == pytest.approx(len(score.notes) / score.duration_s, abs=0.006)
    beats = score.duration_s * score.tempo_bpm / 60
    assert beats % METERS[score.meter] == pytest.approx(0, abs=0.02) or beats % METERS[
        score.meter
    ] == pytest.approx(METERS[score.meter], abs=0.02)
    for note in score.notes:
        assert 12 <= note.pitch <= 115
        assert 20 <= note.velocity <= 127
        assert 0 <= note.start <= beats
        assert note.length > 0


@pytest.mark.parametrize("style", [*BY_NAME, DIVERSE])
def test_the_instruments_listed_are_those_that_play(style: str) -> None:
    score = compose(5, style)
    assert {note.part for note in score.notes} == set(range(len(score.parts)))
    melodic = [part for part in score.parts if part.channel != DRUM_CHANNEL]
    assert set(score.instruments) == {PROGRAMS[part.program] for part in melodic}
    assert len({part.channel for part in score.parts}) == len(score.parts)
    drummed = any(part.channel == DRUM_CHANNEL for part in score.parts)
    assert drummed == (score.drum_kit is not None)


@pytest.mark.parametrize(
    ("seed", "style", "wanted"),
    [
        (1, "piano ballad", "a345655b685e275e"),
        (7, "jazz trio", "bf5f5e17cd44ba03"),
        (1, "techno", "f3703eed2eb76b71"),
        (3, "progressive rock", "009d3c4136883929"),
        (5, DIVERSE, "54bb7dc5b44c9f41"),
        (8, None, "2b077d32b8235c95"),
    ],
)
def test_a_seed_still_gives_the_piece_it_gave(seed: int, style: str | None, wanted: str) -> None:
    # The built-in model was trained on such pieces, and the demo library holds them.
    assert digest(compose(seed, style)) == wanted


def test_a_seed_gives_the_same_piece_again_and_another_seed_another() -> None:
    assert compose(7, "jazz trio") == compose(7, "jazz trio")
    assert compose(7, "jazz trio").notes != compose(8, "jazz trio").notes
    assert compose(7).style == compose(7).style


@pytest.mark.parametrize("seconds", [8.0, 24.0, 60.0])
def test_a_piece_is_about_as_long_as_asked_for(seconds: float) -> None:
    for style in ("waltz", "techno", "celtic"):
        if style in BY_NAME:
            assert seconds - 3 <= compose(2, style, seconds).duration_s <= seconds


def test_an_unknown_style_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match='no style "polka"; one of: diverse, piano ballad'):
        compose(1, "polka")


def test_a_melody_repeats_itself() -> None:
    score = compose(4, "solo flute")
    bar = 4.0
    starts = sorted(note.start for note in score.notes)
    bars = Counter(
        tuple(round((s % bar) * 4) for s in starts if int(s // bar) == n)
        for n in range(int(starts[-1] // bar) + 1)
    )
    assert bars.most_common(1)[0][1] >= 2


# Sections


@given(st.integers(4, 200))
def test_sections_are_whole_phrases_and_never_a_single_bar(bars: int) -> None:
    starts = _sections(bars)
    assert starts[0] == 0
    lengths = [b - a for a, b in zip(starts, [*starts[1:], bars], strict=True)]
    assert sum(lengths) == bars
    assert all(2 <= length <= 5 for length in lengths)


@given(st.integers(0, 1000), st.sampled_from(sorted(BY_NAME)), st.integers(1, 8))
def test_something_plays_in_every_section_and_nobody_before_their_entry(
    seed: int, name: str, count: int
) -> None:
    layers = BY_NAME[name].layers
    present = _entries(Random(seed), layers, count)
    assert len(present) == count
    for section, playing in enumerate(present):
        assert playing
        assert all(layers[k].enter <= section for k in playing)
    everyone = {k for k, layer in enumerate(layers) if layer.enter < count}
    if count > 1:
        assert present[-1] == everyone


def test_a_piece_grows_louder_from_section_to_section() -> None:
    velocities: dict[bool, list[int]] = {True: [], False: []}
    for seed in range(30):
        score = compose(seed, "string quartet")
        for note in score.notes:
            velocities[note.start < 8].append(note.velocity)
    first, later = (sum(values) / len(values) for values in (velocities[True], velocities[False]))
    assert later > first + 4


def test_a_machine_keeps_time_and_a_hand_does_not() -> None:
    def off_grid(style: str) -> float:
        starts = [n.start for seed in range(4) for n in compose(seed, style).notes]
        return max(abs(s * 4 - round(s * 4)) for s in starts)

    assert BY_NAME["techno"].loose == 0
    assert off_grid("techno") < 0.001
    assert off_grid("piano ballad") > 0.01


@given(st.floats(0, 64), st.floats(0.5, 0.74), st.sampled_from([0.5, 1.0]))
def test_swing_moves_only_what_lies_between_the_beats(
    beat: float, swing: float, unit: float
) -> None:
    style = replace(BY_NAME["techno"], swing=swing, swing_beats=unit)
    swung = _swung(beat, style)
    assert swung >= beat - 1e-9
    assert int(swung / unit + 1e-9) == int(beat / unit + 1e-9)
    whole = round(beat / unit) * unit
    assert _swung(whole, style) == pytest.approx(whole)
    assert _swung(whole + unit / 2, style) == pytest.approx(whole + unit * swing)


def test_drums_wait_for_the_section_of_the_style() -> None:
    late = [style for style in BY_NAME.values() if style.grooves and style.drums_enter > 0]
    assert late
    for style in late:
        score = compose(2, style.name)
        kit = next(k for k, part in enumerate(score.parts) if part.channel == DRUM_CHANNEL)
        first = min(note.start for note in score.notes if note.part == kit)
        bar = METERS[score.meter]
        sections = _sections(round(score.duration_s * score.tempo_bpm / 60 / bar))
        assert first >= sections[style.drums_enter] * bar - 0.2
        pitches = {note.pitch for note in score.notes if note.part == kit}
        assert pitches <= set(DRUMS.values())


# The style for training


def test_diverse_seeds_count_through_all_programs() -> None:
    leads = {compose(seed, DIVERSE).parts[0].program for seed in range(1, 256, 2)}
    assert leads == set(range(128))


def test_a_diverse_style_is_as_valid_as_one_from_the_table() -> None:
    modes, moods, meters = set(), set(), set()
    for seed in range(300):
        style = diverse(Random(seed), seed)
        assert style.layers[0].programs == (seed // 2 % 128,)
        assert len(set(style.moods)) == 3
        assert 50 <= style.tempo[0] == style.tempo[1] <= 190
        if style.layers[0].programs[0] in SLOW:
            assert style.tempo[0] <= 90
            assert style.layers[0].busy <= 0.45
        modes.update(style.modes)
        moods.update(style.moods)
        meters.add(style.meter)
    assert modes == set(MODES)
    assert len(moods) == 12
    assert meters == {"4/4", "3/4", "6/8"}
